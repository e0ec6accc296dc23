"""Teachers answer once per view; their stored answers are the student's targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
import keras
from training_runs import Killed

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.gender import distillation, network
from image_gender_classifier.train.gender.distillation import Teacher
from image_gender_classifier.train.gender.recipe import Recipe
from image_gender_classifier.train.gender.targets import make_distillation_targets
from image_gender_classifier.train.gender.views import ViewBatches, Views

POSITIONS = (4, 2, 50, 33, 17, 8)


def untaught(recipe: Recipe, seed: int, size: int) -> Teacher:
    """A teacher that has not learnt anything."""
    keras.utils.set_random_seed(seed)
    return Teacher(
        network.build_gender_network(recipe.student, {"race": 3}, pretrained=False, seed=seed), size
    )


@pytest.fixture(scope="module")
def teacher(tiny_recipe: Recipe) -> Teacher:
    return untaught(tiny_recipe, seed=1, size=32)


@pytest.fixture(scope="module")
def other(tiny_recipe: Recipe) -> Teacher:
    return untaught(tiny_recipe, seed=2, size=40)


@pytest.fixture(scope="module")
def views(tiny_crops: CropSet) -> Views:
    return Views(tiny_crops.crops, np.array(POSITIONS), seed=1, mixup_fraction=0.5)


@pytest.fixture(scope="module")
def answered(
    teacher: Teacher, views: Views, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """The files that hold the answers for three views."""
    folder = tmp_path_factory.mktemp("answers")
    distillation.write_teacher_logits(teacher, views, POSITIONS, 3, folder)
    return content_of(folder)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def written(content: dict[str, bytes], folder: Path) -> Path:
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


def test_each_view_has_a_file(answered: dict[str, bytes]) -> None:
    assert list(answered) == ["basis", "view_000.npz", "view_001.npz", "view_002.npz"]
    assert len(set(answered.values())) == 4


def logits_of(teacher: Teacher, views: Views, number: int) -> Mapping[str, np.ndarray]:
    pixels = np.stack([views.render(at, number, teacher.size) for at in POSITIONS], dtype="f4")
    return {head: np.asarray(logits) for head, logits in teacher.model(pixels).items()}


def test_files_contain_the_logits_of_the_teacher(
    answered: dict[str, bytes], teacher: Teacher, views: Views, tmp_path: Path
) -> None:
    for number in range(3):
        logits = logits_of(teacher, views, number)
        with np.load(written(answered, tmp_path) / f"view_{number:03}.npz") as file:
            assert set(file.files) == {"gender", "race"}
            for head in file.files:
                assert file[head] == pytest.approx(logits[head], abs=1e-4)


def test_targets_are_computed_from_the_mean_of_all_teachers(
    answered: dict[str, bytes], teacher: Teacher, other: Teacher, views: Views, tmp_path: Path
) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    written(answered, folders[0])
    distillation.write_teacher_logits(other, views, POSITIONS, 3, folders[1])
    for number in range(3):
        one, two = (logits_of(of, views, number) for of in (teacher, other))
        assert np.abs(one["gender"] - two["gender"]).max() > 1e-3, "who agree prove nothing"
        expected = make_distillation_targets(
            {head: (one[head] + two[head]) / 2 for head in one}, 0.3
        )
        targets = distillation.load_teacher_targets(folders, number, 0.3)
        for head in one:
            assert targets.probabilities[head] == pytest.approx(
                expected.probabilities[head], abs=1e-4
            )


def test_targets_are_computed_from_the_files(answered: dict[str, bytes], tmp_path: Path) -> None:
    for number in range(3):
        with np.load(written(answered, tmp_path) / f"view_{number:03}.npz") as file:
            expected = make_distillation_targets(dict(file), 0.3)
        targets = distillation.load_teacher_targets([tmp_path], number, 0.3)
        for head, shape in (("gender", (6, 1)), ("race", (6, 3))):
            assert targets.probabilities[head].shape == shape
            assert np.array_equal(targets.probabilities[head], expected.probabilities[head])
            assert np.array_equal(targets.weights[head], expected.weights[head])


def test_existing_files_are_kept(
    answered: dict[str, bytes], teacher: Teacher, views: Views, tmp_path: Path
) -> None:
    np.savez(tmp_path / "view_001.npz", gender=np.ones((len(POSITIONS), 1)))
    already = (tmp_path / "view_001.npz").read_bytes()
    distillation.write_teacher_logits(teacher, views, POSITIONS, 3, tmp_path)
    assert content_of(tmp_path) == {**answered, "view_001.npz": already}


def test_logits_of_other_teachers_or_views_are_refused(
    answered: dict[str, bytes], teacher: Teacher, other: Teacher, views: Views, tmp_path: Path
) -> None:
    written(answered, tmp_path)
    others: list[tuple[Teacher, Views, Sequence[int]]] = [
        (other, views, POSITIONS),
        (replace(other, size=teacher.size), views, POSITIONS),
        (replace(teacher, size=other.size), views, POSITIONS),
        (teacher, replace(views, seed=2), POSITIONS),
        (teacher, views, POSITIONS[:-1]),
    ]
    for wrong_teacher, wrong_views, positions in others:
        with pytest.raises(
            UsageError, match=rf"^{tmp_path}: the folder contains the logits of another teacher"
        ):
            distillation.write_teacher_logits(wrong_teacher, wrong_views, positions, 3, tmp_path)
    assert content_of(tmp_path) == answered


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_run_is_resumed_with_equal_files(
    number: int,
    answered: dict[str, bytes],
    teacher: Teacher,
    views: Views,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = Views.render

    def killing(views: Views, position: int, of: int, size: int) -> object:
        if (of, position, size) == (number, POSITIONS[-1], 32):
            raise Killed
        return draw(views, position, of, size)

    with monkeypatch.context() as patch:
        patch.setattr(Views, "render", killing)
        with pytest.raises(Killed):
            distillation.write_teacher_logits(teacher, views, POSITIONS, 3, tmp_path)
    assert list(content_of(tmp_path)) == list(answered)[: 1 + number]
    distillation.write_teacher_logits(teacher, views, POSITIONS, 3, tmp_path)
    assert content_of(tmp_path) == answered


def test_logits_keep_the_order_of_crops_over_batches(
    teacher: Teacher, views: Views, tmp_path: Path
) -> None:
    """More crops than go into a batch, in an order of their own."""
    positions = [*range(59, -1, -1), *range(15)]
    assert len(positions) > distillation.BATCH
    plain = replace(views, mixup_fraction=0)
    distillation.write_teacher_logits(teacher, plain, positions, 1, tmp_path)
    targets = distillation.load_teacher_targets([tmp_path], 0, 0.2).probabilities["gender"]
    batches = ViewBatches(plain, positions, 0, teacher.size, 10)
    pixels = np.concatenate([batch[0] for batch in batches])
    logits = np.asarray(teacher.model(pixels)["gender"])
    assert targets == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-5)
    assert np.ptp(targets) > 1e-3


@pytest.mark.parametrize("left", [0, 100, -30])
def test_truncated_files_are_written_again(
    left: int, answered: dict[str, bytes], teacher: Teacher, views: Views, tmp_path: Path
) -> None:
    folder = written(answered, tmp_path)
    spoilt = folder / "view_001.npz"
    spoilt.write_bytes(spoilt.read_bytes()[:left])
    distillation.write_teacher_logits(teacher, views, POSITIONS, 3, folder)
    with np.load(spoilt) as file:
        for head, logits in logits_of(teacher, views, 1).items():
            assert np.allclose(file[head], logits, atol=1e-5)

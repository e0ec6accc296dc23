"""Teachers answer once for each view; what they wrote is what a student is taught."""

# ruff: noqa: E402 (a test without its library is skipped before the imports that need it)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train import network, teaching
from image_gender_classifier.train.crops import CropSet
from image_gender_classifier.train.recipe import Recipe
from image_gender_classifier.train.targets import from_answers
from image_gender_classifier.train.views import ViewBatches, Views

POSITIONS = (4, 2, 50, 33, 17, 8)
Teachers = Sequence[tuple[keras.Model, int]]


class Killed(Exception):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def teachers(tiny_recipe: Recipe) -> Teachers:
    """Two of different sizes that have not learnt anything."""
    made = []
    for seed, size in ((1, 32), (2, 40)):
        keras.utils.set_random_seed(seed)
        model = network.build(tiny_recipe.student, {"race": 3}, pretrained=False, seed=seed)
        made.append((model, size))
    return made


@pytest.fixture(scope="module")
def views(tiny_crops: CropSet) -> Views:
    return Views(tiny_crops.crops, np.array(POSITIONS), seed=1, mixed=0.5)


@pytest.fixture(scope="module")
def answered(
    teachers: Teachers, views: Views, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """The files that hold the answers for three views."""
    folder = tmp_path_factory.mktemp("answers")
    teaching.answer(teachers, views, POSITIONS, 3, folder)
    return content_of(folder)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def written(content: dict[str, bytes], folder: Path) -> Path:
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_file_a_view(answered: dict[str, bytes]) -> None:
    assert list(answered) == ["basis", "view_000.npz", "view_001.npz", "view_002.npz"]
    assert len(set(answered.values())) == 4


def test_answers_are_the_mean_of_the_teachers(
    answered: dict[str, bytes], teachers: Teachers, views: Views, tmp_path: Path
) -> None:
    for number in range(3):
        logits = [
            model(np.stack([views.draw(at, number, size) for at in POSITIONS], dtype="f4"))
            for model, size in teachers
        ]
        with np.load(written(answered, tmp_path) / f"view_{number:03}.npz") as file:
            assert set(file.files) == {"gender", "race"}
            for head in file.files:
                one, two = (np.asarray(answers[head]) for answers in logits)
                assert np.abs(one - two).max() > 1e-3, "teachers that agree prove nothing"
                assert file[head] == pytest.approx((one + two) / 2, abs=1e-4)


def test_targets_are_the_answers(answered: dict[str, bytes], tmp_path: Path) -> None:
    for number in range(3):
        with np.load(written(answered, tmp_path) / f"view_{number:03}.npz") as file:
            expected = from_answers(dict(file), 0.3)
        targets = teaching.targets(tmp_path, number, 0.3)
        for head, shape in (("gender", (6, 1)), ("race", (6, 3))):
            assert targets.wanted[head].shape == shape
            assert np.array_equal(targets.wanted[head], expected.wanted[head])
            assert np.array_equal(targets.weights[head], expected.weights[head])


def test_what_is_answered_already_is_left_alone(
    answered: dict[str, bytes], teachers: Teachers, views: Views, tmp_path: Path
) -> None:
    (tmp_path / "view_001.npz").write_bytes(b"answered already")
    teaching.answer(teachers, views, POSITIONS, 3, tmp_path)
    assert content_of(tmp_path) == {**answered, "view_001.npz": b"answered already"}


def test_answers_of_others_are_not_taken(
    answered: dict[str, bytes], teachers: Teachers, views: Views, tmp_path: Path
) -> None:
    written(answered, tmp_path)
    one, *others = teachers
    for wrong in (
        (others, views, POSITIONS),
        ([one, (others[0][0], one[1])], views, POSITIONS),
        (teachers, replace(views, seed=2), POSITIONS),
        (teachers, views, POSITIONS[:-1]),
    ):
        with pytest.raises(UsageError, match=rf"^{tmp_path}: holds answers of other teachers"):
            teaching.answer(*wrong, 3, tmp_path)
    assert content_of(tmp_path) == answered


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_answering_goes_on_with_the_same_answers(
    number: int,
    answered: dict[str, bytes],
    teachers: Teachers,
    views: Views,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = Views.draw

    def killing(views: Views, position: int, of: int, size: int) -> object:
        if (of, position, size) == (number, POSITIONS[-1], 40):
            raise Killed
        return draw(views, position, of, size)

    with monkeypatch.context() as patch:
        patch.setattr(Views, "draw", killing)
        with pytest.raises(Killed):
            teaching.answer(teachers, views, POSITIONS, 3, tmp_path)
    assert list(content_of(tmp_path)) == list(answered)[: 1 + number]
    teaching.answer(teachers, views, POSITIONS, 3, tmp_path)
    assert content_of(tmp_path) == answered


def test_a_batchs_end_does_not_part_answers_from_their_crops(
    teachers: Teachers, views: Views, tmp_path: Path
) -> None:
    """More crops than go into a batch, in an order of their own."""
    positions = [*range(59, -1, -1), *range(15)]
    assert len(positions) > teaching.BATCH
    plain = replace(views, mixed=0)
    teaching.answer(teachers[:1], plain, positions, 1, tmp_path)
    (model, size), *_ = teachers
    targets = teaching.targets(tmp_path, 0, 0.2).wanted["gender"]
    pixels = np.concatenate([batch[0] for batch in ViewBatches(plain, positions, 0, size, 10)])
    logits = np.asarray(model(pixels)["gender"])
    assert targets == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-5)
    assert np.ptp(targets) > 1e-3

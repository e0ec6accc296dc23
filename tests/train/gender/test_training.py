"""From crops to the classifier: every stage can be killed, and none sees what is held out."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
import keras
from training_runs import Killed, Weights, assert_same_weights, read_weights

from image_gender_classifier.train.common import history, loop, split
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.gender import distillation, training
from image_gender_classifier.train.gender.recipe import Recipe, Stage
from image_gender_classifier.train.gender.views import Views

pytestmark = pytest.mark.usefixtures("eagerly")

TEACHER, STUDENT, FINE_TUNING = "teacher_1", "student", "fine_tuning_1"
ANSWERS = Path(TEACHER, training.LOGITS)
VIEWS = ("view_000.npz", "view_001.npz")


@dataclass(frozen=True)
class Outcome:
    """What a training leaves: its folder, and the classifier's weights."""

    folder: Path
    weights: Weights

    def answers(self) -> list[bytes]:
        return [(self.folder / ANSWERS / name).read_bytes() for name in VIEWS]

    def learnt(self, stage: str) -> Weights:
        """The weights of a network after its last epoch."""
        return read_weights(self.folder / stage / loop.LAST)

    def history(self, stage: str) -> str:
        return (self.folder / stage / history.HISTORY).read_text()


def train(crop_set: CropSet, recipe: Recipe, folder: Path) -> Outcome:
    model = training.train_classifier(crop_set, recipe, folder, ())
    return Outcome(folder, list(model.get_weights()))


@pytest.fixture(scope="module")
def finished(
    tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """An uninterrupted training."""
    return train(tiny_crops, tiny_recipe, tmp_path_factory.mktemp("finished"))


def test_each_network_has_a_folder_without_partial_files(finished: Outcome) -> None:
    names = {
        str(path.relative_to(finished.folder))
        for path in finished.folder.rglob("*")
        if path.is_file()
    }
    files = (loop.LAST, loop.BEST, history.HISTORY)
    assert names == {
        *(f"{stage}/{name}" for stage in (TEACHER, STUDENT, FINE_TUNING) for name in files),
        *(f"{TEACHER}/answers/{name}" for name in ("basis", *VIEWS)),
    }


def test_returns_the_inference_model_of_the_best_epoch(
    finished: Outcome, tiny_crops: CropSet, tiny_recipe: Recipe
) -> None:
    model = training.train_classifier(tiny_crops, tiny_recipe, finished.folder, ())
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 1)
    assert_same_weights(list(model.get_weights()), finished.weights)
    best = keras.models.load_model(finished.folder / FINE_TUNING / loop.BEST, compile=False)
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    expected = np.asarray(best(pixels)["gender"])
    assert np.asarray(model(pixels)) == pytest.approx(expected, abs=1e-4)


def kill_at(stage: str, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills in the middle of a stage, in its second batch."""
    of_teacher, of_student = tiny_recipe.seed + 1, tiny_recipe.seed
    of_fine_tuning = tiny_recipe.seed + tiny_recipe.fine_tunings[0].seed
    teachers_size, students_size = tiny_recipe.teachers[0].size, tiny_recipe.student.size
    where = {
        "teacher": (of_teacher, 0, teachers_size),
        "first answers": (of_student, 0, teachers_size),
        "second answers": (of_student, 1, teachers_size),
        "student": (of_student, 0, students_size),
        "student's second epoch": (of_student, 1, students_size),
        "fine-tuning": (of_fine_tuning, 0, students_size),
    }[stage]
    draw: Callable[..., Any] = Views.render
    drawn = itertools.count()

    def killing(views: Views, position: int, number: int, size: int) -> Any:
        if (views.seed, number, size) == where and next(drawn) >= 20:
            raise Killed
        return draw(views, position, number, size)

    monkeypatch.setattr(Views, "render", killing)


def test_a_training_killed_in_every_stage_equals_an_uninterrupted_one(
    finished: Outcome,
    tiny_crops: CropSet,
    tiny_recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stage, answered in (
        ("teacher", 0),
        ("first answers", 0),
        ("second answers", 1),
        ("student", 2),
        ("student's second epoch", 2),
        ("fine-tuning", 2),
    ):
        with monkeypatch.context() as patch:
            kill_at(stage, tiny_recipe, patch)
            with pytest.raises(Killed):
                train(tiny_crops, tiny_recipe, tmp_path)
        assert len(list((tmp_path / ANSWERS).glob("view_*"))) == answered
        assert (tmp_path / STUDENT).exists() == stage.startswith(("student", "fine-tuning"))
        assert (tmp_path / FINE_TUNING).exists() == (stage == "fine-tuning")
    resumed = train(tiny_crops, tiny_recipe, tmp_path)
    assert resumed.answers() == finished.answers()
    assert_same_weights(resumed.weights, finished.weights)
    for name in (TEACHER, STUDENT, FINE_TUNING):
        assert resumed.history(name) == finished.history(name)
        assert_same_weights(resumed.learnt(name), finished.learnt(name))


def inverted(crop_set: CropSet, held_out: bool, fraction: float) -> CropSet:
    """The crops with the held-out ones (or all others) the other way round, labels and pixels."""
    chosen = [is_held_out(sample.name, fraction) == held_out for sample in crop_set.samples]
    samples = [
        replace(sample, gender="male" if sample.gender == "female" else "female") if one else sample
        for sample, one in zip(crop_set.samples, chosen, strict=True)
    ]
    crops = np.where(np.array(chosen)[:, None, None, None], 255 - crop_set.crops, crop_set.crops)
    return replace(crop_set, samples=tuple(samples), crops=crops)


def test_held_out_samples_affect_no_network(
    finished: Outcome, tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    """Neither as a sample nor mixed into one; half of the student's views are mixtures."""
    other = train(inverted(tiny_crops, True, tiny_recipe.held_out), tiny_recipe, tmp_path)
    assert_same_weights(other.learnt(TEACHER), finished.learnt(TEACHER))
    assert other.answers() == finished.answers()
    assert_same_weights(other.learnt(STUDENT), finished.learnt(STUDENT))
    assert_same_weights(other.learnt(FINE_TUNING), finished.learnt(FINE_TUNING))
    assert other.history(TEACHER) != finished.history(TEACHER), "it must have been measured on"


def test_a_distilled_student_does_not_use_labels(
    finished: Outcome, tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    """With the teacher's work done, labels of the training part are not asked for any more."""
    shutil.copytree(finished.folder / TEACHER, tmp_path / TEACHER)
    relabelled = replace(inverted(tiny_crops, False, tiny_recipe.held_out), crops=tiny_crops.crops)
    assert relabelled.samples != tiny_crops.samples
    other = train(relabelled, tiny_recipe, tmp_path)
    assert_same_weights(other.learnt(STUDENT), finished.learnt(STUDENT))
    assert other.history(FINE_TUNING) != finished.history(FINE_TUNING)


def test_a_distilled_student_uses_the_stored_logits(
    finished: Outcome, tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    """Other answers make another student."""
    shutil.copytree(finished.folder / TEACHER, tmp_path / TEACHER)
    path = tmp_path / ANSWERS / VIEWS[0]
    with np.load(path) as file:
        np.savez(path, **{head: -file[head] for head in file.files})
    other = train(tiny_crops, replace(tiny_recipe, fine_tunings=()), tmp_path)
    assert other.history(STUDENT) != finished.history(STUDENT)


def test_without_teachers_the_student_uses_labels_and_hides_hair(
    tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    once = replace(tiny_recipe.student, stages=(Stage(32, 1),), warmup_epochs=0.5, distilled=False)
    alone = replace(tiny_recipe, teachers=(), student=once, fine_tunings=())
    outcome = train(tiny_crops, alone, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [STUDENT]
    (tmp_path / "relabelled").mkdir()
    relabelled = inverted(tiny_crops, False, tiny_recipe.held_out)
    other = train(replace(relabelled, crops=tiny_crops.crops), alone, tmp_path / "relabelled")
    assert other.history(STUDENT) != outcome.history(STUDENT)
    (tmp_path / "hidden").mkdir()
    hidden = replace(alone, student=replace(once, hidden_hair=0.9))
    assert train(tiny_crops, hidden, tmp_path / "hidden").history(STUDENT) != outcome.history(
        STUDENT
    )


def test_hidden_hair_of_the_student_does_not_change_its_teacher(
    finished: Outcome, tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder / TEACHER, tmp_path / TEACHER)
    student = replace(tiny_recipe.student, hidden_hair=0.9)
    hidden = train(tiny_crops, replace(tiny_recipe, student=student, fine_tunings=()), tmp_path)
    assert hidden.answers() == finished.answers()
    assert hidden.history(STUDENT) != finished.history(STUDENT)


def test_a_trained_teacher_is_part_of_the_targets(
    tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    """It takes every crop for a woman: what learns from it hardly tells them apart."""
    pixels = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(pixels)
    always = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones")(pooled)
    teacher = keras.Model(pixels, always)
    crops = np.stack([crop[4:36, 4:36] for crop in tiny_crops.crops]).astype(np.float32)
    spread = {}
    for weight in (1.0, 0.01):
        once = replace(
            tiny_recipe.student,
            stages=(Stage(32, 3),),
            warmup_epochs=0.5,
            distilled=False,
            label_weight=weight,
        )
        recipe = replace(tiny_recipe, teachers=(), student=once, fine_tunings=())
        folder = tmp_path / f"{weight}"
        folder.mkdir()
        model = training.train_classifier(tiny_crops, recipe, folder, [teacher])
        spread[weight] = float(np.std(model.predict(crops, verbose=0)))
    assert spread[0.01] < spread[1.0]


@pytest.fixture(scope="module")
def three_teachers(tiny_recipe: Recipe) -> Recipe:
    """Two teachers that differ by their seeds, and a third that they teach; one epoch each."""
    once = replace(tiny_recipe.teachers[0], stages=(Stage(32, 1),))
    return replace(
        tiny_recipe,
        teachers=(once, replace(once, seed=2), replace(once, distilled=True)),
        student=replace(tiny_recipe.student, stages=(Stage(32, 1),), warmup_epochs=0.5),
        fine_tunings=(),
        views=1,
    )


@pytest.fixture(scope="module")
def taught(
    tiny_crops: CropSet, three_teachers: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """An uninterrupted training with three teachers."""
    return train(tiny_crops, three_teachers, tmp_path_factory.mktemp("taught"))


def test_teachers_differ_by_seed_and_their_logits_are_averaged(
    taught: Outcome, three_teachers: Recipe, tiny_crops: CropSet
) -> None:
    names = ("teacher_1", "teacher_2", "teacher_3")
    parts = split.split_names(tiny_crops.names, three_teachers.held_out)
    positions = np.array(parts.training)
    views = Views(tiny_crops.crops, positions, three_teachers.seed, three_teachers.mixed)
    pixels = np.stack([views.render(at, 0, 32) for at in parts.training], dtype="f4")
    answers = [
        np.asarray(keras.models.load_model(taught.folder / name / loop.BEST)(pixels)["gender"])
        for name in names
    ]
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    folders = [taught.folder / name / training.LOGITS for name in names]
    distilled = distillation.load_teacher_targets(folders, 0, 0.2).probabilities["gender"]
    assert distilled == pytest.approx(1 / (1 + np.exp(-sum(answers) / 3)), abs=1e-4)


def test_a_teacher_can_be_distilled_from_earlier_ones(
    taught: Outcome, three_teachers: Recipe, tiny_crops: CropSet, tmp_path: Path
) -> None:
    """With the work of the first two done, the third one does not ask for labels."""
    for name in ("teacher_1", "teacher_2"):
        shutil.copytree(taught.folder / name, tmp_path / name)
    relabelled = inverted(tiny_crops, False, three_teachers.held_out)
    again = train(replace(relabelled, crops=tiny_crops.crops), three_teachers, tmp_path)
    assert_same_weights(again.learnt("teacher_3"), taught.learnt("teacher_3"))

"""The whole way from crops to the classifier: teachers, their answers, the student."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from image_gender_classifier.errors import OutputError
from image_gender_classifier.train import fit, network, teaching
from image_gender_classifier.train.command import say
from image_gender_classifier.train.crops import CropSet
from image_gender_classifier.train.fit import Lesson, Parts
from image_gender_classifier.train.recipe import SEEDS, Recipe, Training
from image_gender_classifier.train.targets import from_labels, vocabulary
from image_gender_classifier.train.views import Views

STUDENT, TEACHER, ANSWERS = "student", "teacher_{}", "answers"


def trainings(recipe: Recipe) -> list[str]:
    """Names the folders of all networks that a recipe trains, in order."""
    teachers = [TEACHER.format(number) for number in range(1, len(recipe.teachers) + 1)]
    return [*teachers, STUDENT]


def train(crop_set: CropSet, recipe: Recipe, folder: Path) -> keras.Model:
    """Makes a classifier, going on with what the folder holds of the same run.

    Args:
        crop_set: Crops of `recipe.stored_size`.
        recipe: How.
        folder: Existing folder for everything in between, a folder each.

    Returns:
        The student as it ships.
    """
    parts = fit.split(crop_set, recipe.held_out)
    teachers = []
    for number, teacher in enumerate(recipe.teachers, 1):
        name = TEACHER.format(number)
        seed = (recipe.seed + number) % SEEDS
        lesson = _of_labels(crop_set, parts, teacher, seed)
        teachers.append((_fit(name, lesson, teacher, recipe, seed, folder), teacher.size))
    if teachers:
        lesson = _of_answers(crop_set, parts, teachers, recipe, folder)
    else:
        lesson = _of_labels(crop_set, parts, recipe.student, recipe.seed)
    student = _fit(STUDENT, lesson, recipe.student, recipe, recipe.seed, folder)
    return network.finished(student, recipe.student)


def _fit(
    name: str, lesson: Lesson, training: Training, recipe: Recipe, seed: int, folder: Path
) -> keras.Model:
    say(f"{name.replace('_', ' ')}:", sys.stdout)
    return fit.fit(lesson, training, recipe.pretrained, seed, _made(folder / name))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from None
    return folder


def _of_labels(crop_set: CropSet, parts: Parts, training: Training, seed: int) -> Lesson:
    """The labels, with new views in every epoch."""
    words = vocabulary(crop_set.samples)
    samples = [crop_set.samples[position] for position in parts.training]
    targets = from_labels(samples, words, training.group_weight, training.label_smoothing)
    views = Views(crop_set.crops, np.array(parts.training), seed, mixed=0)
    return Lesson(crop_set, parts, words, views, lambda epoch: epoch, lambda _: targets)


def _of_answers(
    crop_set: CropSet,
    parts: Parts,
    teachers: Sequence[tuple[keras.Model, int]],
    recipe: Recipe,
    folder: Path,
) -> Lesson:
    """The teachers' answers for a number of views, round which the epochs go."""
    count, mixed = recipe.distillation.views, recipe.distillation.mixed
    views = Views(crop_set.crops, np.array(parts.training), recipe.seed, mixed)
    answers = _made(folder / ANSWERS)
    teaching.answer(teachers, views, parts.training, count, answers)
    return Lesson(
        crop_set,
        parts,
        vocabulary(crop_set.samples),
        views,
        lambda epoch: epoch % count,
        lambda number: teaching.targets(answers, number, recipe.student.group_weight),
    )

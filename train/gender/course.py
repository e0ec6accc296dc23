"""The whole way from crops to the classifier: teachers, their answers, the student."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from image_gender_classifier.errors import OutputError
from image_gender_classifier.train.common import split
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.split import Parts
from image_gender_classifier.train.gender import distillation, fit, network
from image_gender_classifier.train.gender.distillation import Teacher
from image_gender_classifier.train.gender.fit import Lesson
from image_gender_classifier.train.gender.recipe import SEEDS, Recipe, Training
from image_gender_classifier.train.gender.targets import Targets, from_labels, mixed, vocabulary
from image_gender_classifier.train.gender.views import Views

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
    parts = split.divide(crop_set.names, recipe.held_out)
    views = Views(crop_set.crops, np.array(parts.training), recipe.seed, recipe.mixed)
    answers: list[Path] = []  # a folder for each teacher

    def fitted(name: str, training: Training) -> keras.Model:
        seed = (recipe.seed + training.seed) % SEEDS
        if training.taught:
            lesson = _of_answers(crop_set, parts, views, tuple(answers), training, recipe)
        else:
            lesson = _of_labels(
                crop_set, parts, replace(views, seed=seed, mixed=training.mixed), training
            )
        say(f"{name.replace('_', ' ')}:", sys.stdout)
        return fit.fit(lesson, training, recipe.pretrained, seed, _made(folder / name))

    for number, training in enumerate(recipe.teachers, 1):
        name = TEACHER.format(number)
        model = fitted(name, training)
        answers.append(_made(folder / name / ANSWERS))
        distillation.answer(
            Teacher(model, training.size),
            views,
            parts.training,
            recipe.views,
            answers[-1],
        )
    student = fitted(STUDENT, recipe.student)
    return network.finished(student, recipe.student)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from None
    return folder


def _of_labels(crop_set: CropSet, parts: Parts, views: Views, training: Training) -> Lesson:
    """The labels, with new views in every epoch."""
    words = vocabulary(crop_set.samples)
    samples = [crop_set.samples[position] for position in parts.training]
    targets = from_labels(samples, words, training.group_weight, training.label_smoothing)

    def targets_of(number: int) -> Targets:
        mixtures = [views.mixture(position, number) for position in parts.training]
        places = np.array([mixture.place for mixture in mixtures])
        shares = np.array([mixture.share for mixture in mixtures], np.float32)
        return mixed(targets, places, shares)

    return Lesson(crop_set, parts, words, views, lambda epoch: epoch, targets_of)


def _of_answers(
    crop_set: CropSet,
    parts: Parts,
    views: Views,
    answers: Sequence[Path],
    training: Training,
    recipe: Recipe,
) -> Lesson:
    """The answers of all teachers so far to a number of views, round which the epochs go."""
    return Lesson(
        crop_set,
        parts,
        vocabulary(crop_set.samples),
        views,
        lambda epoch: epoch % recipe.views,
        lambda number: distillation.targets(answers, number, training.group_weight),
    )

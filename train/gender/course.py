"""Training of a gender classifier: teachers, their answers, then the student."""

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
from image_gender_classifier.train.common.recipe import SEEDS
from image_gender_classifier.train.common.split import Parts
from image_gender_classifier.train.gender import distillation, fit, network
from image_gender_classifier.train.gender.distillation import Teacher
from image_gender_classifier.train.gender.fit import Lesson
from image_gender_classifier.train.gender.recipe import Recipe, Training
from image_gender_classifier.train.gender.targets import Targets, from_labels, mixed, vocabulary
from image_gender_classifier.train.gender.views import Views

STUDENT, TEACHER, ANSWERS = "student", "teacher_{}", "answers"


def trainings(recipe: Recipe) -> list[str]:
    """Gives the folder names of all networks of a recipe, in training order."""
    teachers = [TEACHER.format(number) for number in range(1, len(recipe.teachers) + 1)]
    return [*teachers, STUDENT]


def train(crop_set: CropSet, recipe: Recipe, folder: Path) -> keras.Model:
    """Trains a classifier; resumes from the folder's checkpoints.

    Args:
        crop_set: Crops of `recipe.stored_size`.
        recipe: The recipe.
        folder: Existing folder for checkpoints; each network gets a subfolder.

    Returns:
        The student, with the gender head only.

    Raises:
        ModelError: A checkpoint is damaged, or the loss becomes NaN or infinite.
        OutputError: The folder cannot be written to.
        UsageError: The folder holds answers of another teacher.
    """
    parts = split.divide(crop_set.names, recipe.held_out)
    views = Views(crop_set.crops, np.array(parts.training), recipe.seed, recipe.mixed)
    answers: list[Path] = []  # one folder per teacher

    def fitted(name: str, training: Training) -> keras.Model:
        seed = (recipe.seed + training.seed) % SEEDS
        if training.distilled:
            lesson = _distillation_lesson(crop_set, parts, views, tuple(answers), training, recipe)
        else:
            lesson = _label_lesson(
                crop_set, parts, replace(views, seed=seed, mixed=training.mixed), training
            )
        say(f"{name.replace('_', ' ')}:", sys.stdout)
        return fit.fit(lesson, training, recipe.pretrained, seed, _folder(folder / name))

    for number, training in enumerate(recipe.teachers, 1):
        name = TEACHER.format(number)
        model = fitted(name, training)
        answers.append(_folder(folder / name / ANSWERS))
        distillation.answer(
            Teacher(model, training.size),
            views,
            parts.training,
            recipe.views,
            answers[-1],
        )
    student = fitted(STUDENT, recipe.student)
    return network.finished(student, recipe.student)


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be created ({error.strerror})") from None
    return folder


def _label_lesson(crop_set: CropSet, parts: Parts, views: Views, training: Training) -> Lesson:
    """Gives a lesson with the labels as targets and new views in every epoch."""
    words = vocabulary(crop_set.samples)
    samples = [crop_set.samples[position] for position in parts.training]
    targets = from_labels(samples, words, training.group_weight, training.label_smoothing)

    def targets_of(number: int) -> Targets:
        mixtures = [views.mixture(position, number) for position in parts.training]
        places = np.array([mixture.place for mixture in mixtures])
        shares = np.array([mixture.share for mixture in mixtures], np.float32)
        return mixed(targets, places, shares)

    return Lesson(crop_set, parts, words, views, lambda epoch: epoch, targets_of)


def _distillation_lesson(
    crop_set: CropSet,
    parts: Parts,
    views: Views,
    answers: Sequence[Path],
    training: Training,
    recipe: Recipe,
) -> Lesson:
    """Gives a lesson with the teachers' mean answers as targets; epochs cycle through the views."""
    return Lesson(
        crop_set,
        parts,
        vocabulary(crop_set.samples),
        views,
        lambda epoch: epoch % recipe.views,
        lambda number: distillation.targets(answers, number, training.group_weight),
    )

"""Trains a gender classifier: teachers, whose logits are stored, the student, its fine-tunings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from image_gender_classifier.train.common import split
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.model_folder import make_folder
from image_gender_classifier.train.common.recipe import SEEDS
from image_gender_classifier.train.common.split import SplitPositions
from image_gender_classifier.train.gender import distillation, finetuning, fit, network
from image_gender_classifier.train.gender.distillation import Teacher
from image_gender_classifier.train.gender.fit import TrainingData
from image_gender_classifier.train.gender.predicted_targets import make_view_targets
from image_gender_classifier.train.gender.recipe import NetworkRecipe, Recipe
from image_gender_classifier.train.gender.targets import (
    collect_group_classes,
    make_label_targets,
)
from image_gender_classifier.train.gender.views import Views

STUDENT, LOGITS = "student", "answers"  # folder names
TEACHER, FINE_TUNING = "teacher_{}", "fine_tuning_{}"


def list_networks(recipe: Recipe) -> list[str]:
    """Returns the folder names of all networks of a recipe, in training order."""
    teachers = [TEACHER.format(number) for number in range(1, len(recipe.teachers) + 1)]
    last = [FINE_TUNING.format(number) for number in range(1, len(recipe.fine_tunings) + 1)]
    return [*teachers, STUDENT, *last]


def train_classifier(
    crop_set: CropSet, recipe: Recipe, folder: Path, trained_teachers: Sequence[keras.Model]
) -> keras.Model:
    """Trains the teachers and the student of a recipe, then fine-tunes the student.

    Resumes from the folder's checkpoints.

    Args:
        crop_set: Crops with the side `recipe.stored_size`.
        recipe: The recipe.
        folder: Existing folder for checkpoints; each network gets a subfolder.
        trained_teachers: Trained classifiers that map pixels to the gender logit only; at least one
            if `recipe.needs_trained_teachers`. Their predictions are a part of the targets of
            networks with a `label_weight` below 1, and of the fine-tunings.

    Returns:
        The student's inference model, with the gender head only.

    Raises:
        ModelError: A checkpoint is corrupt or does not match the network or its history, the
            file of ImageNet weights is corrupt, or the loss becomes NaN or infinite.
        OutputError: The folder cannot be written to.
        UsageError: The folder contains the logits of another teacher, or the package with the
            ImageNet weights is not installed.
        OSError: A file of teacher logits cannot be read.
    """
    parts = split.split_names(crop_set.names, recipe.held_out)
    views = Views(crop_set.crops, np.array(parts.training), recipe.seed, recipe.mixed)
    logit_folders: list[Path] = []  # one per teacher

    def train(name: str, training: NetworkRecipe) -> keras.Model:
        seed = (recipe.seed + training.seed) % SEEDS
        if training.distilled:
            data = _distillation_training_data(
                crop_set, parts, views, tuple(logit_folders), training, recipe
            )
        else:
            data = _label_training_data(
                crop_set,
                parts,
                replace(views, seed=seed, mixup_fraction=training.mixed),
                training,
                trained_teachers,
            )
        print_line(f"{name.replace('_', ' ')}:", sys.stdout)
        return fit.train_network(
            data, training, recipe.pretrained, seed, make_folder(folder / name)
        )

    for number, training in enumerate(recipe.teachers, 1):
        name = TEACHER.format(number)
        model = train(name, training)
        logit_folders.append(make_folder(folder / name / LOGITS))
        distillation.write_teacher_logits(
            Teacher(model, training.size),
            views,
            parts.training,
            recipe.views,
            logit_folders[-1],
        )
    student = train(STUDENT, recipe.student)
    model = network.make_inference_classifier(student, recipe.student)
    for number, tuning in enumerate(recipe.fine_tunings, 1):
        name = FINE_TUNING.format(number)
        print_line(f"{name.replace('_', ' ')}:", sys.stdout)
        seed = (recipe.seed + tuning.seed) % SEEDS
        model = finetuning.fine_tune(
            model,
            crop_set,
            parts,
            replace(tuning, seed=seed),
            make_folder(folder / name),
            trained_teachers,
        )
    return model


def _label_training_data(
    crop_set: CropSet,
    parts: SplitPositions,
    views: Views,
    training: NetworkRecipe,
    trained_teachers: Sequence[keras.Model],
) -> TrainingData:
    """Makes training data whose targets are labels, with mixup; every epoch has new views.

    If `training.label_weight` is below 1, the predictions of trained teachers are a part of them.
    """
    classes = collect_group_classes(crop_set.samples)
    samples = [crop_set.samples[position] for position in parts.training]
    labels = make_label_targets(samples, classes, training.group_weight, training.label_smoothing)
    return TrainingData(
        crop_set,
        parts,
        classes,
        views,
        lambda epoch: epoch,
        lambda number: make_view_targets(
            labels, trained_teachers, views, parts.training, number, training.label_weight
        ),
        training.hidden_hair,
    )


def _distillation_training_data(
    crop_set: CropSet,
    parts: SplitPositions,
    views: Views,
    logit_folders: Sequence[Path],
    training: NetworkRecipe,
    recipe: Recipe,
) -> TrainingData:
    """Makes training data whose targets are computed from the teachers' mean logits.

    The logits exist for `recipe.views` views of each crop; epochs cycle through these.
    """
    return TrainingData(
        crop_set,
        parts,
        collect_group_classes(crop_set.samples),
        views,
        lambda epoch: epoch % recipe.views,
        lambda number: distillation.load_teacher_targets(
            logit_folders, number, training.group_weight
        ),
        training.hidden_hair,
    )

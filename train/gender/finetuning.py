"""Fine-tunes a trained gender classifier on labelled pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np

from image_gender_classifier.train.common import loop
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.heads import GENDER
from image_gender_classifier.train.common.split import SplitPositions
from image_gender_classifier.train.common.split_batch import SplitBatchModel
from image_gender_classifier.train.common.start_weights import copy_layers
from image_gender_classifier.train.gender import fit
from image_gender_classifier.train.gender.finetuning_recipe import FineTuning
from image_gender_classifier.train.gender.fit import Schedule, TrainingData
from image_gender_classifier.train.gender.predicted_targets import make_view_targets
from image_gender_classifier.train.gender.targets import Targets, make_label_targets
from image_gender_classifier.train.gender.views import Views


def fine_tune(
    original: keras.Model,
    crop_set: CropSet,
    parts: SplitPositions,
    recipe: FineTuning,
    folder: Path,
    trained_teachers: Sequence[keras.Model] = (),
) -> keras.Model:
    """Fine-tunes a classifier; resumes from the folder's last checkpoint if there is one.

    Batch normalisation keeps its statistics. The targets are a mean of the labels and of the
    predictions of the classifier as it was and of trained teachers, on the same view of each crop.

    Args:
        original: The classifier, which maps pixels to the gender logit only.
        crop_set: Crops, at least as large as the input of the network.
        parts: The split into training and held-out samples.
        recipe: The recipe.
        folder: Existing folder for checkpoints and history.
        trained_teachers: Classifiers like `original`, with any input size.

    Returns:
        A copy of `original` with the weights after the epoch with the lowest validation loss.

    Raises:
        ModelError: A checkpoint is corrupt or does not match, or the loss becomes NaN or infinite.
        OutputError: The folder cannot be written to.
    """
    loop.make_deterministic(recipe.seed)
    network = keras.models.clone_model(original)
    network.set_weights(original.get_weights())
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    model = SplitBatchModel(network.input, {GENDER: network.output}, name="fine_tuning")
    size = int(original.input_shape[1])
    schedule = Schedule(
        batch=recipe.batch,
        sizes=[size] * recipe.epochs,
        learning_rate=recipe.learning_rate,
        warmup_epochs=recipe.warmup_epochs,
        weight_decay=0.0,  # it would pull the weights away from the original ones
        patience=recipe.patience,
    )
    data = _make_training_data((original, *trained_teachers), crop_set, parts, recipe)
    tuned = fit.fit_network(model, data, schedule, recipe.seed, folder)
    result = keras.models.clone_model(original)
    copy_layers(result, tuned)
    return result


def keep_gender_output(classifier: keras.Model) -> keras.Model:
    """Returns a classifier with its gender output only; with the same layers.

    Args:
        classifier: Maps pixels to the gender logit, and possibly to the face and frame outputs.
    """
    return keras.Model(classifier.input, classifier.outputs[0], name=classifier.name)


def _make_training_data(
    classifiers: Sequence[keras.Model],
    crop_set: CropSet,
    parts: SplitPositions,
    recipe: FineTuning,
) -> TrainingData:
    """Makes training data with new views in every epoch, or with a fixed number of views.

    Args:
        classifiers: The classifiers whose mean predictions are a part of the targets.
        crop_set: The crops.
        parts: The split.
        recipe: The recipe.
    """
    views = Views(crop_set.crops, np.array(parts.training), recipe.seed, recipe.mixed)
    samples = [crop_set.samples[position] for position in parts.training]
    labels = make_label_targets(samples, {}, 0.0, recipe.label_smoothing)

    @lru_cache(max(recipe.views, 1))  # epochs may repeat views, and predictions take long
    def targets_of_view(number: int) -> Targets:
        return make_view_targets(
            labels, classifiers, views, parts.training, number, recipe.label_weight
        )

    return TrainingData(
        crop_set,
        parts,
        {},
        views,
        lambda epoch: epoch % recipe.views if recipe.views else epoch,
        targets_of_view,
        recipe.hidden_hair,
    )

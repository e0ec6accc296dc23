"""Training of one gender network: targets, losses and validation for the training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from image_gender_classifier.detection.geometry import crop, whole
from image_gender_classifier.train.common import loop
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.split import Parts
from image_gender_classifier.train.gender import batches, network
from image_gender_classifier.train.gender.recipe import Training
from image_gender_classifier.train.gender.targets import GENDER, Targets, Vocabulary, from_labels
from image_gender_classifier.train.gender.views import Views


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Training data of one network.

    Attributes:
        crop_set: Samples with their crops.
        parts: The split into training and held-out samples.
        words: Classes of the auxiliary heads.
        views: Source of the pixels.
        number_of: Maps an epoch to the number of its view.
        targets_of: Maps a view's number to the targets of the training samples.
    """

    crop_set: CropSet
    parts: Parts
    words: Vocabulary
    views: Views
    number_of: Callable[[int], int]
    targets_of: Callable[[int], Targets]


def fit(
    lesson: Lesson, training: Training, pretrained: bool, seed: int, folder: Path
) -> keras.Model:
    """Trains a network, from the folder's last checkpoint if there is one.

    Args:
        lesson: The training data.
        training: Architecture and hyperparameters.
        pretrained: Start from ImageNet weights.
        seed: Seed of weights and dropout.
        folder: Existing folder for checkpoints and history.

    Returns:
        The network with all its heads, after the epoch with the lowest validation loss.

    Raises:
        ModelError: The checkpoint is damaged or does not match the history, or the loss becomes
            NaN or infinite.
        OutputError: The folder cannot be written to.
    """
    loop.begin(seed)
    sizes = {kind: len(labels) for kind, labels in lesson.words.items()}
    model = network.build(training, sizes, pretrained, seed)

    def batches_of(epoch: int) -> batches.EpochBatches:
        number = lesson.number_of(epoch)
        return batches.EpochBatches(
            lesson.views,
            lesson.parts.training,
            lesson.targets_of(number),
            epoch=epoch,
            number=number,
            size=training.size_of(epoch),
            batch=training.batch,
        )

    steps = batches.steps(len(lesson.parts.training), training.batch)
    _compile(model, lesson.words, training, steps)
    validation = _validation(lesson, training.size)
    return loop.run(
        model, batches_of, validation, folder, epochs=training.epochs, steps=steps, seed=seed
    )


def _compile(model: keras.Model, words: Vocabulary, training: Training, steps: int) -> None:
    """Compiles a network; `steps` is the number of steps per epoch."""
    losses: dict[str, Any] = {GENDER: keras.losses.BinaryCrossentropy(from_logits=True)}
    for kind in words:
        losses[kind] = keras.losses.CategoricalCrossentropy(from_logits=True)
    warmup = training.warmup_epochs * steps
    optimizer = loop.optimizer(
        training.learning_rate, warmup, training.weight_decay, training.epochs * steps
    )
    model.compile(optimizer, loss=losses, metrics={GENDER: [accuracy]})


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def accuracy(wanted: Any, logits: Any) -> Any:
    """Gives whether each logit (N x 1) has the sign of its target probability (N x 1)."""
    return keras.ops.equal(wanted >= 0.5, logits >= 0)


def _validation(lesson: Lesson, size: int) -> tuple[Any, Any, Any]:
    """Gives unaugmented held-out crops, labels, and weights that count the gender head only."""
    crops, samples = lesson.crop_set.crops, lesson.crop_set.samples
    square = whole(crops.shape[1], crops.shape[2])
    held_out = lesson.parts.held_out
    pixels = np.stack([crop(crops[position], square, size) for position in held_out])
    labelled = [samples[position] for position in held_out]
    targets = from_labels(labelled, lesson.words, group_weight=0)
    return pixels, *targets.of(slice(None))

"""Trains a single gender network: batches, losses and validation data for the training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from image_gender_classifier.detection.geometry import cut_crop, find_central_square
from image_gender_classifier.train.common import loop
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.heads import GENDER
from image_gender_classifier.train.common.split import SplitPositions
from image_gender_classifier.train.gender import batches, network
from image_gender_classifier.train.gender.recipe import NetworkRecipe
from image_gender_classifier.train.gender.targets import (
    GroupClasses,
    Targets,
    make_label_targets,
)
from image_gender_classifier.train.gender.views import Views


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """The training and validation data of one gender network.

    Attributes:
        crop_set: Samples with their crops.
        parts: The split into training and held-out samples.
        group_classes: Classes of each auxiliary head.
        views: Source of the pixels.
        view_of_epoch: Maps an epoch (0-based) to the number of its view.
        targets_of_view: Maps the number of a view to the targets of the training samples.
        hidden_hair: Fraction of the crops whose hair is hidden, 0 to 1.
    """

    crop_set: CropSet
    parts: SplitPositions
    group_classes: GroupClasses
    views: Views
    view_of_epoch: Callable[[int], int]
    targets_of_view: Callable[[int], Targets]
    hidden_hair: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Batches and learning rate of a training.

    Attributes:
        batch: Samples per step.
        sizes: Side of the input in pixels in each epoch.
        learning_rate: Peak learning rate (linear warm-up, then cosine decay to 0).
        warmup_epochs: Length of the warm-up in epochs.
        weight_decay: Decoupled weight decay of AdamW.
        patience: See `loop.train_epochs`.
    """

    batch: int
    sizes: Sequence[int]
    learning_rate: float
    warmup_epochs: float
    weight_decay: float
    patience: int | None = None


def train_network(
    data: TrainingData, training: NetworkRecipe, pretrained: bool, seed: int, folder: Path
) -> keras.Model:
    """Trains a gender network; resumes from the folder's last checkpoint if there is one.

    Args:
        data: The training data.
        training: Architecture and hyperparameters.
        pretrained: Whether to start from ImageNet weights.
        seed: Seed of weights and dropout.
        folder: Existing folder for checkpoints and history.

    Returns:
        The network with all its heads, after the epoch with the lowest validation loss.

    Raises:
        ModelError: The checkpoint is corrupt or does not match the network or the history, the
            weights file is corrupt, or the loss becomes NaN or infinite.
        OutputError: The folder cannot be written to.
        UsageError: The package with the ImageNet weights is not installed.
    """
    loop.make_deterministic(seed)
    sizes = {kind: len(labels) for kind, labels in data.group_classes.items()}
    model = network.build_gender_network(training, sizes, pretrained, seed)
    schedule = Schedule(
        batch=training.batch,
        sizes=[training.size_in_epoch(epoch) for epoch in range(training.epochs)],
        learning_rate=training.learning_rate,
        warmup_epochs=training.warmup_epochs,
        weight_decay=training.weight_decay,
    )
    return fit_network(model, data, schedule, seed, folder)


def fit_network(
    model: keras.Model, data: TrainingData, schedule: Schedule, seed: int, folder: Path
) -> keras.Model:
    """Trains a network that is built already; resumes from the folder's last checkpoint.

    Args:
        model: Maps pixels to a dict of logits, as `network.build_gender_network`; built after
            `loop.make_deterministic` with the same seed.
        data: The training data.
        schedule: Batches and learning rate.
        seed: Seed of the dropout.
        folder: Existing folder for checkpoints and history.

    Returns:
        The network after the epoch with the lowest validation loss.

    Raises:
        ModelError: As `train_network`.
        OutputError: The folder cannot be written to.
    """

    def batches_of(epoch: int) -> batches.EpochBatches:
        number = data.view_of_epoch(epoch)
        return batches.EpochBatches(
            data.views,
            data.parts.training,
            data.targets_of_view(number),
            epoch=epoch,
            number=number,
            size=schedule.sizes[epoch],
            batch=schedule.batch,
            hidden_hair=data.hidden_hair,
        )

    steps = batches.count_steps(len(data.parts.training), schedule.batch)
    _compile(model, data.group_classes, schedule, steps)
    return loop.train_epochs(
        model,
        batches_of,
        _make_validation_data(data, schedule.sizes[-1]),
        folder,
        epochs=len(schedule.sizes),
        steps=steps,
        seed=seed,
        patience=schedule.patience,
    )


def _compile(model: keras.Model, classes: GroupClasses, schedule: Schedule, steps: int) -> None:
    """Compiles a network with its losses, metric, optimiser and learning rate schedule."""
    losses: dict[str, Any] = {GENDER: keras.losses.BinaryCrossentropy(from_logits=True)}
    for kind in classes:
        losses[kind] = keras.losses.CategoricalCrossentropy(from_logits=True)
    warmup = schedule.warmup_epochs * steps
    optimizer = loop.make_optimizer(
        schedule.learning_rate, warmup, schedule.weight_decay, len(schedule.sizes) * steps
    )
    model.compile(optimizer, loss=losses, metrics={GENDER: [accuracy]})


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def accuracy(targets: Any, logits: Any) -> Any:
    """Computes the metric "accuracy": whether `targets >= 0.5` equals `logits >= 0`.

    Checkpoints refer to this function by name.

    Args:
        targets: Target probabilities, float32, N x 1.
        logits: Predicted logits, float32, N x 1.

    Returns:
        True for each correct prediction (bool, N x 1).
    """
    return keras.ops.equal(targets >= 0.5, logits >= 0)


def _make_validation_data(data: TrainingData, size: int) -> tuple[Any, Any, Any]:
    """Makes the validation data: held-out crops without augmentation.

    Auxiliary heads have weight 0, so the validation loss is that of the gender head.

    Returns:
        Pixels (uint8 RGB, N x S x S x 3), targets by head and sample weights by head.
    """
    crops, samples = data.crop_set.crops, data.crop_set.samples
    square = find_central_square(crops.shape[1], crops.shape[2])
    held_out = data.parts.held_out
    pixels = np.stack([cut_crop(crops[position], square, size) for position in held_out])
    labelled = [samples[position] for position in held_out]
    targets = make_label_targets(labelled, data.group_classes, group_weight=0)
    return pixels, *targets.select(slice(None))

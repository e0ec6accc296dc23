"""Trains a face detector network on synthetic scenes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import keras

from image_gender_classifier.train.common import loop
from image_gender_classifier.train.common.start_weights import copy_layers
from image_gender_classifier.train.detector import losses, network
from image_gender_classifier.train.detector.batches import SceneBatches
from image_gender_classifier.train.detector.mined_windows import MinedWindows
from image_gender_classifier.train.detector.recipe import DetectorRecipe
from image_gender_classifier.train.detector.scene import Sources
from image_gender_classifier.train.detector.teacher import Teacher

_TRAINING_STREAM, _VALIDATION_STREAM = 4, 5  # random stream numbers; one for each use
VALIDATION_SCENES = 1024


def train_detector(
    training: Sources,
    validation: Sources,
    teacher: Teacher | None,
    start: keras.Model | None,
    recipe: DetectorRecipe,
    folder: Path,
) -> keras.Model:
    """Trains a face detector; resumes from the folder's last checkpoint if there is one.

    Args:
        training: Faces and backgrounds to learn from.
        validation: Faces and backgrounds held out.
        teacher: The teacher, or None.
        start: The inference model of a detector to start from, or None.
        recipe: The recipe.
        folder: Existing folder for checkpoints and history.

    Returns:
        The inference model, after the epoch with the lowest validation loss.

    Raises:
        ModelError: `start` has other layers, the checkpoint is corrupt or does not match the
            network or the history, the file of ImageNet weights is corrupt, or the loss becomes
            NaN or infinite.
        OutputError: The folder cannot be written to.
        UsageError: The package with the ImageNet weights is not installed.
    """

    def batches(
        sources: Sources, count: int, *key: int, teacher: Teacher | None = None
    ) -> SceneBatches:
        return SceneBatches(
            sources,
            count,
            size=recipe.size,
            batch=recipe.batch,
            key=(*key, recipe.seed),
            teacher=teacher,
        )

    cv2.setNumThreads(1)  # batches are made in threads of their own
    loop.make_deterministic(recipe.seed)
    model = network.build_detector_network(recipe.network, recipe.pretrained, recipe.size)
    if start is not None:
        copy_layers(model, start)
    steps = recipe.scenes // recipe.batch
    optimizer = loop.make_optimizer(
        recipe.learning_rate,
        recipe.warmup_epochs * steps,
        recipe.weight_decay,
        recipe.epochs * steps,
    )
    model.compile(optimizer, loss={network.HEAT: losses.heat, network.BOX: losses.box})
    mined = MinedWindows(folder, model, training.backgrounds, recipe.mining_epochs)

    def training_batches(epoch: int) -> SceneBatches:
        sources = training
        if recipe.mined:
            sources = replace(training, mined=mined.of(epoch), mined_fraction=recipe.mined)
        return batches(sources, recipe.scenes, _TRAINING_STREAM, epoch, teacher=teacher)

    trained = loop.train_epochs(
        model,
        training_batches,
        batches(validation, max(VALIDATION_SCENES, recipe.batch), _VALIDATION_STREAM, 0),
        folder,
        epochs=recipe.epochs,
        steps=steps,
        seed=recipe.seed,
    )
    return network.make_inference_detector(trained, recipe.network)

"""Trains a face refiner on candidates of the face detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import keras

from image_gender_classifier.train.common import loop
from image_gender_classifier.train.common.start_weights import copy_layers
from image_gender_classifier.train.detector.scene import Sources
from image_gender_classifier.train.refiner import losses, network
from image_gender_classifier.train.refiner.batches import CandidateBatches
from image_gender_classifier.train.refiner.candidates import (
    Candidates,
    Search,
    collect_candidates,
)
from image_gender_classifier.train.refiner.recipe import RefinerRecipe

_ORDER_STREAM, _TRAINING_STREAM, _VALIDATION_STREAM = 6, 7, 8  # random stream numbers; unique
_VALIDATION_PICTURES = 1200


def train_refiner(
    search: Search,
    start: keras.Model,
    training: Sources,
    validation: Sources,
    recipe: RefinerRecipe,
    folder: Path,
) -> keras.Model:
    """Trains a face refiner; resumes from the folder's last checkpoint if there is one.

    Args:
        search: The networks that find and verify candidates.
        start: The inference model whose weights it starts from: a face refiner, or a face detector
            with the same features.
        training: Faces and backgrounds to learn from.
        validation: Faces and backgrounds held out.
        recipe: The recipe.
        folder: Existing folder for checkpoints and history.

    Returns:
        The inference model, after the epoch with the lowest validation loss.

    Raises:
        DataError: The face detector finds nothing in the pictures.
        ModelError: `start` has other layers, the checkpoint is corrupt or does not match the
            network or the history, or the loss becomes NaN or infinite.
        OutputError: The folder cannot be written to.
    """
    cv2.setNumThreads(1)  # candidates are found, and batches made, in threads of their own
    loop.make_deterministic(recipe.seed)
    model = network.build_refiner_network(recipe.size, recipe.seed)
    copy_layers(model, start, network.HEAD)
    steps = recipe.candidates // recipe.batch
    optimizer = loop.make_optimizer(
        recipe.learning_rate,
        recipe.warmup_epochs * steps,
        recipe.weight_decay,
        recipe.epochs * steps,
    )
    model.compile(optimizer, loss={network.FACE: losses.face, network.FRAME: losses.frame})
    latest: dict[int, Candidates] = {}

    def batches(
        candidates: Candidates, count: int, key: tuple[int, ...] | None
    ) -> CandidateBatches:
        return CandidateBatches(
            candidates,
            count,
            size=recipe.size,
            batch=recipe.batch,
            distilled=recipe.distilled,
            key=key,
        )

    def training_batches(epoch: int) -> CandidateBatches:
        number = epoch // recipe.search_epochs
        if number not in latest:
            latest.clear()  # frees gigabytes before the next search
            latest[number] = collect_candidates(
                search, training, recipe.pictures, (_TRAINING_STREAM, recipe.seed, number)
            )
        key = (_ORDER_STREAM, recipe.seed, epoch)
        return batches(latest[number], recipe.candidates, key)

    held_out = collect_candidates(
        search,
        validation,
        min(_VALIDATION_PICTURES, recipe.pictures),
        (_VALIDATION_STREAM, recipe.seed),
    )
    trained = loop.train_epochs(
        model,
        training_batches,
        batches(held_out, max(len(held_out.labels), recipe.batch), None),
        folder,
        epochs=recipe.epochs,
        steps=steps,
        seed=recipe.seed,
    )
    return network.make_inference_refiner(trained)

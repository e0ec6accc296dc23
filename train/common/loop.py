"""The training loop, with a checkpoint after every epoch.

After an epoch, the loop writes the history to `history.csv` and then the model with its optimiser
to `last.keras`, both atomically, so that a kill costs at most one epoch. The optimiser's step gives
the number of finished epochs; later rows of the history are dropped.

A resumed run gives the same result as an uninterrupted one: batches depend only on the number of
the epoch, and the schedule and dropout only on the step.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.common import history
from image_gender_classifier.train.common.checkpoint import save_whole
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.split_batch import SPLITS

LAST, BEST = "last.keras", "best.keras"


def begin(seed: int) -> None:
    """Makes training deterministic; call it before building a model."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def optimizer(
    learning_rate: float, warmup: float, weight_decay: float, steps: int
) -> keras.Optimizer:
    """Gives AdamW with a linear warm-up and a cosine decay to zero.

    Biases and batch normalisation have no weight decay. Loshchilov and Hutter, "Decoupled Weight
    Decay Regularization" (ICLR 2019), and "SGDR" (ICLR 2017) for the cosine.

    Args:
        learning_rate: Peak of the schedule.
        warmup: Steps of the warm-up.
        weight_decay: Decoupled weight decay.
        steps: Total number of steps.
    """
    rising = min(round(warmup), steps - 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 100,
        decay_steps=steps - rising,
        warmup_target=learning_rate,
        warmup_steps=rising,
    )
    adamw = keras.optimizers.AdamW(schedule, weight_decay=weight_decay)
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return adamw


def run(
    model: keras.Model,
    batches_of: Callable[[int], keras.utils.PyDataset],
    validation: Any,
    folder: Path,
    *,
    epochs: int,
    steps: int,
    seed: int,
) -> keras.Model:
    """Trains a compiled model, from the folder's last checkpoint if there is one.

    Args:
        model: A model built after `begin` with the same seed.
        batches_of: Gives the batches of an epoch, counted from 0.
        validation: Validation data in a form that Keras takes.
        folder: Existing folder for checkpoints and history.
        epochs: Total number of epochs.
        steps: Batches per epoch.
        seed: Seed of the model's dropout.

    Returns:
        The model after the epoch with the lowest validation loss, not compiled.

    Raises:
        ModelError: The checkpoint is damaged or does not match the history, or the loss becomes
            NaN or infinite.
        OutputError: The folder cannot be written to.
    """
    rows: list[history.Row] = []
    if (folder / LAST).exists():
        done = _restore(model, folder / LAST, seed) // steps
        rows = history.read(folder)[:done]
        if len(rows) < done:
            raise ModelError(
                f"{folder / history.HISTORY}: has {len(rows)} epochs, but {folder / LAST} {done}; "
                "delete the folder to train again"
            )
    for epoch in range(len(rows), epochs):
        logs = model.fit(
            batches_of(epoch),
            validation_data=validation,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
        ).history
        rows.append({"epoch": epoch, **{name: values[-1] for name, values in logs.items()}})
        if not math.isfinite(rows[-1]["loss"]):
            raise ModelError(
                f"{folder}: the loss is not finite in epoch {epoch + 1}; train with a smaller "
                "learning rate into another folder"
            )
        say(history.line(rows[-1], epochs), sys.stdout)
        history.write(rows, folder)
        if history.best(rows) == epoch:
            save_whole(model, folder / BEST)
        save_whole(model, folder / LAST)
    return _load(folder / BEST, compile=False)


def _restore(model: keras.Model, checkpoint: Path, seed: int) -> int:
    """Restores a compiled model from a checkpoint; gives the optimiser's step.

    Keras's `load_model` loses the weight decay exclusions and the state of dropout.
    """
    saved = _load(checkpoint)
    try:
        model.set_weights(saved.get_weights())
        model.optimizer.build(model.trainable_variables)
        both = zip(model.optimizer.variables, saved.optimizer.variables, strict=True)
        for variable, value in both:
            variable.assign(value)
    except (ValueError, AttributeError):  # AttributeError: saved without optimiser
        raise ModelError(f"{checkpoint}: belongs to another network; delete its folder") from None
    steps = int(model.optimizer.iterations.numpy())
    drawn = steps * SPLITS  # dropout draws once per part of a batch
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed, drawn])
    return steps


def _load(checkpoint: Path, **how: bool) -> keras.Model:
    try:
        return keras.models.load_model(checkpoint, **how)
    except Exception as error:  # Keras's errors have no narrower base class
        raise ModelError(f"{checkpoint}: cannot be read ({error}); delete its folder") from None

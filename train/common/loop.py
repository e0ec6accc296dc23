"""The training loop: one epoch at a time, each of them leaving a state to resume from.

After every epoch the history goes to `history.csv` and then the model with its optimiser to
`last.keras`, each written aside and renamed, so that a kill at any moment costs at most one epoch:
the optimiser's step says how many are done, and a row of the history beyond that is forgotten.
An epoch's batches depend on its number alone, schedule and dropout on the step, hence a resumed
run goes on exactly as if it had never stopped.
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
    """Makes what follows depend on the seed alone; to be called before a model is built."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def optimizer(
    learning_rate: float, warmup: float, weight_decay: float, steps: int
) -> keras.Optimizer:
    """Gives AdamW with a linear warm-up and half a cosine to zero.

    Biases and normalisations don't decay. Loshchilov and Hutter, "Decoupled Weight Decay
    Regularization" (ICLR 2019), and "SGDR" (ICLR 2017) for the cosine.

    Args:
        learning_rate: Its peak.
        warmup: Steps of the warm-up.
        weight_decay: Decoupled weight decay.
        steps: Steps of the whole training.
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
    """Trains a compiled model, going on from the folder's last checkpoint if there is one.

    Args:
        model: As `begin` with the same seed and then its builder made it.
        batches_of: From an epoch's number to its batches.
        validation: What Keras takes as validation data.
        folder: Existing folder for checkpoints and history.
        epochs: How many in all.
        steps: Batches of an epoch.
        seed: Of the model's dropout.

    Returns:
        The model after the epoch with the least validation loss, not compiled.

    Raises:
        ModelError: The folder's checkpoint is damaged, or not the history's; or the loss is no
            number any more.
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
                f"{folder}: the loss is no number any more in epoch {epoch + 1}; train with a "
                "smaller learning rate, into another folder"
            )
        say(history.line(rows[-1], epochs), sys.stdout)
        history.write(rows, folder)
        if history.best(rows) == epoch:
            save_whole(model, folder / BEST)
        save_whole(model, folder / LAST)
    return _load(folder / BEST, compile=False)


def _restore(model: keras.Model, checkpoint: Path, seed: int) -> int:
    """Sets a compiled model to a checkpoint's state; gives the optimiser's steps until then.

    Keras's own loading forgets which weights don't decay and where dropout's randomness stood.
    """
    saved = _load(checkpoint)
    try:
        model.set_weights(saved.get_weights())
        model.optimizer.build(model.trainable_variables)
        both = zip(model.optimizer.variables, saved.optimizer.variables, strict=True)
        for variable, value in both:
            variable.assign(value)
    except (ValueError, AttributeError):  # AttributeError: saved without an optimiser
        raise ModelError(f"{checkpoint}: is of another network; delete its folder") from None
    steps = int(model.optimizer.iterations.numpy())
    drawn = steps * SPLITS  # dropout draws for each half of a batch
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed, drawn])
    return steps


def _load(checkpoint: Path, **how: bool) -> keras.Model:
    try:
        return keras.models.load_model(checkpoint, **how)
    except Exception as error:  # Keras's errors share no base class but this
        raise ModelError(f"{checkpoint}: cannot be read ({error}); delete its folder") from None

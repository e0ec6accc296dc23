"""The training loop, with a checkpoint after every epoch.

After an epoch, the loop writes the history to `history.csv` and then the model with its optimiser
to `last.keras`, both atomically, so an interruption loses at most one epoch. On resume, the
optimiser's step determines the number of finished epochs; rows of later epochs in the history are
dropped.

A resumed run has the same result as an uninterrupted one: batches depend only on the epoch, the
learning rate schedule and dropout only on the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.common import history
from image_gender_classifier.train.common.checkpoint import save_model_atomic
from image_gender_classifier.train.common.progress import TrainingProgress
from image_gender_classifier.train.common.split_batch import SPLITS

LAST, BEST = "last.keras", "best.keras"


def make_deterministic(seed: int) -> None:
    """Seeds all random generators and makes TensorFlow deterministic.

    Call before building a model.

    Args:
        seed: Seed of weights and dropout.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def make_optimizer(
    learning_rate: float, warmup: float, weight_decay: float, steps: int
) -> keras.Optimizer:
    """Creates AdamW with a linear warm-up and a cosine decay to 0.

    Biases and batch normalisation have no weight decay. See Loshchilov and Hutter, "Decoupled
    Weight Decay Regularization" (ICLR 2019) for AdamW and "SGDR" (ICLR 2017) for the cosine.

    Args:
        learning_rate: Peak learning rate.
        warmup: Number of warm-up steps; rounded, and limited to `steps` - 1.
        weight_decay: Decoupled weight decay.
        steps: Total number of steps, warm-up included.

    Returns:
        The optimiser, which contains the learning rate schedule.
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


def train_epochs(  # noqa: PLR0913  (keyword arguments)
    model: keras.Model,
    batches_of: Callable[[int], keras.utils.PyDataset],
    validation: Any,
    folder: Path,
    *,
    epochs: int,
    steps: int,
    seed: int,
    patience: int | None = None,
) -> keras.Model:
    """Trains a compiled model; resumes from the folder's last checkpoint if there is one.

    Prints the metrics of each epoch, below a progress bar if stderr is a terminal.

    Args:
        model: A compiled model, built after `make_deterministic` with the same seed.
        batches_of: Function that returns the batches of an epoch (0-based).
        validation: Validation data for `keras.Model.fit`.
        folder: Existing folder for checkpoints and history.
        epochs: Total number of epochs.
        steps: Batches per epoch.
        seed: Seed of the model's dropout.
        patience: Number of epochs without a lower validation loss after which training stops early;
            None for never.

    Returns:
        The model after the epoch with the lowest validation loss, not compiled.

    Raises:
        ModelError: A checkpoint or the history is corrupt, the checkpoint does not match the
            network or the history, or the loss becomes NaN or infinite.
        OutputError: The folder cannot be written to.
    """
    rows: list[history.Row] = []
    if (folder / LAST).exists():
        done = _restore_checkpoint(model, folder / LAST, seed) // steps
        rows = history.read_history(folder)[:done]
        if len(rows) < done:
            raise ModelError(
                f"{folder / history.HISTORY}: the number of epochs is {len(rows)}, but {done} in "
                f"{folder / LAST}; delete the folder to start over"
            )
    progress = TrainingProgress(epochs, steps, len(rows))
    with closing(progress):
        for epoch in range(len(rows), epochs):
            if patience is not None and rows and history.count_epochs_since_best(rows) >= patience:
                progress.print_line(f"stopped early: no better epoch in the last {patience}")
                break
            rows.append(_train_epoch(model, batches_of, validation, epoch, progress))
            if not math.isfinite(rows[-1]["loss"]):
                raise ModelError(
                    f"{folder}: the loss is NaN or infinite in epoch {epoch + 1}; lower "
                    "learning_rate in the recipe and train into another folder"
                )
            progress.print_line(history.format_epoch(rows[-1], epochs))
            history.write_history(rows, folder)
            if history.find_best_epoch(rows) == epoch:
                save_model_atomic(model, folder / BEST)
            save_model_atomic(model, folder / LAST)
    return _load_checkpoint(folder / BEST, compile=False)


def _train_epoch(
    model: keras.Model,
    batches_of: Callable[[int], keras.utils.PyDataset],
    validation: Any,
    epoch: int,
    progress: TrainingProgress,
) -> history.Row:
    """Trains one epoch (0-based) and returns its metrics."""
    logs = model.fit(
        batches_of(epoch),
        validation_data=validation,
        initial_epoch=epoch,
        epochs=epoch + 1,
        shuffle=False,
        verbose=0,
        callbacks=[progress],
    ).history
    return {"epoch": epoch, **{name: values[-1] for name, values in logs.items()}}


def _restore_checkpoint(model: keras.Model, checkpoint: Path, seed: int) -> int:
    """Restores weights, optimiser and dropout from a checkpoint; returns the optimiser's step.

    Keras's `load_model` alone would lose the weight decay exclusions and the state of dropout.

    Raises:
        ModelError: The checkpoint is corrupt or does not match the model.
    """
    saved = _load_checkpoint(checkpoint)
    try:
        model.set_weights(saved.get_weights())
        model.optimizer.build(model.trainable_variables)
        both = zip(model.optimizer.variables, saved.optimizer.variables, strict=True)
        for variable, value in both:
            variable.assign(value)
    except (ValueError, AttributeError):  # AttributeError: saved without optimiser
        raise ModelError(
            f"{checkpoint}: the checkpoint does not match this network; train into another "
            "--out, or delete its folder to start over"
        ) from None
    steps = int(model.optimizer.iterations.numpy())
    draws = steps * SPLITS  # dropout draws once per part of a batch
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign([seed, draws])
    return steps


def _load_checkpoint(checkpoint: Path, **options: bool) -> keras.Model:
    """Loads a checkpoint with the options of `keras.models.load_model`.

    Raises:
        ModelError: Keras cannot load the file.
    """
    try:
        return keras.models.load_model(checkpoint, **options)
    except Exception as error:  # Keras's errors have no narrower base class
        raise ModelError(
            f"{checkpoint}: Keras cannot load the checkpoint ({error}); delete its folder to start "
            "over"
        ) from None

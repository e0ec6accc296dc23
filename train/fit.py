"""The training loop: one epoch at a time, each of them leaving a state to resume from.

After every epoch the history goes to `history.csv` and then the model with its optimiser to
`last.keras`, each written aside and renamed, so that a kill at any moment costs at most one epoch:
the optimiser's step says how many are done, and a row of the history beyond that is forgotten.
Order and augmentation depend on the epoch's number alone, schedule and dropout on the step, hence a
resumed run goes on exactly as if it had never stopped.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from image_gender_classifier.faces import crop, whole
from image_gender_classifier.train import network
from image_gender_classifier.train.batches import EpochBatches, Vocabulary, targets, vocabulary
from image_gender_classifier.train.checkpoint import save_whole
from image_gender_classifier.train.command import say
from image_gender_classifier.train.crops import CropSet
from image_gender_classifier.train.recipe import Recipe
from image_gender_classifier.train.split import is_held_out
from image_gender_classifier.writing import write_whole

LAST, BEST, HISTORY = "last.keras", "best.keras", "history.csv"
_WATCHED = "val_loss"


@dataclass(frozen=True, slots=True)
class Parts:
    """Positions of the samples to learn from and of those held out."""

    training: tuple[int, ...]
    held_out: tuple[int, ...]


def split(crop_set: CropSet, fraction: float) -> Parts:
    """Divides a crop set by its samples' names."""
    held = [is_held_out(sample.name, fraction) for sample in crop_set.samples]
    return Parts(
        tuple(position for position, out in enumerate(held) if not out),
        tuple(position for position, out in enumerate(held) if out),
    )


def fit(crop_set: CropSet, recipe: Recipe, folder: Path, resume: bool) -> keras.Model:
    """Trains a classifier.

    Args:
        crop_set: Crops of `recipe.stored_size`.
        recipe: The numbers of the run.
        folder: Existing folder for checkpoints and history.
        resume: Go on from the folder's last checkpoint, if there is one.

    Returns:
        The model of the epoch with the least validation loss, without its auxiliary heads.
    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    parts = split(crop_set, recipe.held_out)
    words = vocabulary(crop_set.samples)
    model = network.build(recipe, {kind: len(labels) for kind, labels in words.items()})
    steps = -(-len(parts.training) // recipe.batch)
    _compile(model, words, recipe, steps)
    history: list[dict[str, float]] = []
    if resume and (folder / LAST).exists():
        done = _restore(model, folder / LAST, recipe) // steps
        history = _read_history(folder)[:done]
    validation = _validation(crop_set, parts.held_out, words, recipe)
    for epoch in range(len(history), recipe.epochs):
        if _epochs_since_best(history) >= recipe.patience:
            say(f"stopped: no progress for {recipe.patience} epochs", sys.stdout)
            break
        batches = EpochBatches(crop_set, parts.training, words, recipe, epoch)
        logs = model.fit(
            batches,
            validation_data=validation,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
        ).history
        history.append({"epoch": epoch, **{name: values[-1] for name, values in logs.items()}})
        say(_progress(history[-1], recipe.epochs), sys.stdout)
        _write_history(history, folder)
        if _epochs_since_best(history) == 0:
            save_whole(model, folder / BEST)
        save_whole(model, folder / LAST)
    return network.without_group_heads(keras.models.load_model(folder / BEST))


def _compile(model: keras.Model, words: Vocabulary, recipe: Recipe, steps: int) -> None:
    warmup = round(recipe.warmup_epochs * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 100,
        decay_steps=recipe.epochs * steps - warmup,
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses: dict[str, Any] = {
        network.GENDER: keras.losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        )
    }
    for kind in words:
        losses[kind] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = {network.GENDER: keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)}
    model.compile(optimizer, loss=losses, metrics=metrics)


def _restore(model: keras.Model, checkpoint: Path, recipe: Recipe) -> int:
    """Sets a compiled model to a checkpoint's state; gives the optimiser's steps until then.

    Keras's own loading forgets which weights don't decay and where dropout's randomness stood.
    """
    saved = keras.models.load_model(checkpoint)
    model.set_weights(saved.get_weights())
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, saved.optimizer.variables, strict=True):
        variable.assign(value)
    steps = int(model.optimizer.iterations.numpy())
    model.get_layer(network.DROPOUT).seed_generator.state.assign([recipe.seed, steps])
    return steps


def _validation(
    crop_set: CropSet, positions: Sequence[int], words: Vocabulary, recipe: Recipe
) -> tuple[Any, Any, Any]:
    """The held-out part without augmentation, scored by the gender's loss alone."""
    square = whole(recipe.stored_size, recipe.stored_size)
    crops = [crop(crop_set.crops[position], square, recipe.input_size) for position in positions]
    samples = [crop_set.samples[position] for position in positions]
    return np.stack(crops).astype(np.float32), *targets(samples, words, group_weight=0)


def _progress(row: Mapping[str, float], epochs: int) -> str:
    """What a person sees of an epoch; Keras names a loss after its head only among several."""
    parts = []
    for name, label in (("loss", "loss"), ("accuracy", "accuracy")):
        for prefix, part in (("", ""), ("val_", "held-out ")):
            value = row.get(f"{prefix}{network.GENDER}_{name}", row.get(f"{prefix}{name}"))
            parts.append(f"{part}{label} {value:.4f}")
    return f"epoch {row['epoch'] + 1:.0f}/{epochs}: {', '.join(parts)}"


def _epochs_since_best(history: Sequence[Mapping[str, float]]) -> int:
    if not history:
        return 0
    losses = np.nan_to_num([row[_WATCHED] for row in history], nan=np.inf)
    return len(losses) - 1 - int(np.argmin(losses))


def _read_history(folder: Path) -> list[dict[str, float]]:
    path = folder / HISTORY
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def _write_history(history: Sequence[Mapping[str, float]], folder: Path) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_whole(folder / HISTORY, text.getvalue().encode())

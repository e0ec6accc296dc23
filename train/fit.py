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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from image_gender_classifier.errors import ModelError
from image_gender_classifier.faces import crop, whole
from image_gender_classifier.train import network
from image_gender_classifier.train.batches import EpochBatches
from image_gender_classifier.train.checkpoint import save_whole
from image_gender_classifier.train.command import say
from image_gender_classifier.train.crops import CropSet
from image_gender_classifier.train.halves import HALVES
from image_gender_classifier.train.recipe import Training
from image_gender_classifier.train.split import is_held_out
from image_gender_classifier.train.targets import Targets, Vocabulary, from_labels
from image_gender_classifier.train.views import Views
from image_gender_classifier.writing import write_whole

LAST, BEST, HISTORY = "last.keras", "best.keras", "history.csv"
_WATCHED = "val_loss"


@dataclass(frozen=True, slots=True)
class Parts:
    """Positions of the samples to learn from and of those held out."""

    training: tuple[int, ...]
    held_out: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What one network learns, and from what.

    Attributes:
        crop_set: Samples with their crops.
        parts: Which of them train and which are held out.
        words: Classes of the auxiliary heads.
        views: Where the pixels come from.
        number_of: From an epoch to the number of its view.
        targets_of: From a view's number to the targets of the training part.
    """

    crop_set: CropSet
    parts: Parts
    words: Vocabulary
    views: Views
    number_of: Callable[[int], int]
    targets_of: Callable[[int], Targets]


def split(crop_set: CropSet, fraction: float) -> Parts:
    """Divides a crop set by its samples' names."""
    held = [is_held_out(sample.name, fraction) for sample in crop_set.samples]
    return Parts(
        tuple(position for position, out in enumerate(held) if not out),
        tuple(position for position, out in enumerate(held) if out),
    )


def fit(
    lesson: Lesson, training: Training, pretrained: bool, seed: int, folder: Path
) -> keras.Model:
    """Trains a network, going on from the folder's last checkpoint if there is one.

    Args:
        lesson: What it learns.
        training: What it is and how it learns.
        pretrained: Start from ImageNet weights.
        seed: Of weights and dropout.
        folder: Existing folder for checkpoints and history.

    Returns:
        The network with all its heads, after the epoch with the least validation loss.

    Raises:
        ModelError: The folder's checkpoint is damaged, or not the history's.
        OutputError: The folder cannot be written to.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    sizes = {kind: len(labels) for kind, labels in lesson.words.items()}
    model = network.build(training, sizes, pretrained, seed)
    steps = -(-len(lesson.parts.training) // training.batch)
    _compile(model, lesson.words, training, steps)
    history: list[dict[str, float]] = []
    if (folder / LAST).exists():
        done = _restore(model, folder / LAST, seed) // steps
        history = _read_history(folder)[:done]
        if len(history) < done:
            raise ModelError(
                f"{folder / HISTORY}: has {len(history)} epochs, but {folder / LAST} {done}; "
                "delete the folder to train again"
            )
    validation = _validation(lesson, training.size)
    for epoch in range(len(history), training.epochs):
        number = lesson.number_of(epoch)
        batches = EpochBatches(
            lesson.views,
            lesson.parts.training,
            lesson.targets_of(number),
            epoch=epoch,
            number=number,
            size=training.size_of(epoch),
            batch=training.batch,
        )
        logs = model.fit(
            batches,
            validation_data=validation,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
        ).history
        history.append({"epoch": epoch, **{name: values[-1] for name, values in logs.items()}})
        say(_progress(history[-1], training.epochs), sys.stdout)
        _write_history(history, folder)
        if _best(history) == epoch:
            save_whole(model, folder / BEST)
        save_whole(model, folder / LAST)
    return keras.models.load_model(folder / BEST, compile=False)


def _compile(model: keras.Model, words: Vocabulary, training: Training, steps: int) -> None:
    warmup = min(round(training.warmup_epochs * steps), training.epochs * steps - 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=training.learning_rate / 100,
        decay_steps=training.epochs * steps - warmup,
        warmup_target=training.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=training.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses: dict[str, Any] = {network.GENDER: keras.losses.BinaryCrossentropy(from_logits=True)}
    for kind in words:
        losses[kind] = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss=losses, metrics={network.GENDER: [accuracy]})


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def accuracy(wanted: Any, logits: Any) -> Any:
    """Says of which answers (N x 1 logits) the likelier gender is the wanted one's."""
    return keras.ops.equal(wanted >= 0.5, logits >= 0)


def _restore(model: keras.Model, checkpoint: Path, seed: int) -> int:
    """Sets a compiled model to a checkpoint's state; gives the optimiser's steps until then.

    Keras's own loading forgets which weights don't decay and where dropout's randomness stood.
    """
    try:
        saved = keras.models.load_model(checkpoint)
    except Exception as error:  # Keras's errors share no base class but this
        raise ModelError(f"{checkpoint}: cannot be read ({error}); delete its folder") from None
    model.set_weights(saved.get_weights())
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, saved.optimizer.variables, strict=True):
        variable.assign(value)
    steps = int(model.optimizer.iterations.numpy())
    drawn = steps * HALVES  # dropout draws for each half of a batch
    model.get_layer(network.DROPOUT).seed_generator.state.assign([seed, drawn])
    return steps


def _validation(lesson: Lesson, size: int) -> tuple[Any, Any, Any]:
    """The held-out part as in use, scored by the gender's loss against the labels alone."""
    crops, samples = lesson.crop_set.crops, lesson.crop_set.samples
    square = whole(crops.shape[1], crops.shape[2])
    held_out = lesson.parts.held_out
    pixels = np.stack([crop(crops[position], square, size) for position in held_out])
    labelled = [samples[position] for position in held_out]
    targets = from_labels(labelled, lesson.words, group_weight=0)
    return pixels.astype(np.float32), *targets.of(slice(None))


def _progress(row: Mapping[str, float], epochs: int) -> str:
    """What a person sees of an epoch; Keras names a loss after its head only among several."""
    parts = []
    for name, label in (("loss", "loss"), ("accuracy", "accuracy")):
        for prefix, part in (("", ""), ("val_", "held-out ")):
            value = row.get(f"{prefix}{network.GENDER}_{name}", row.get(f"{prefix}{name}"))
            parts.append(f"{part}{label} {value:.4f}")
    return f"epoch {row['epoch'] + 1:.0f}/{epochs}: {', '.join(parts)}"


def _best(history: Sequence[Mapping[str, float]]) -> int:
    """Gives the place of the least validation loss; one that is no number is never the least."""
    return int(np.argmin(np.nan_to_num([row[_WATCHED] for row in history], nan=np.inf)))


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

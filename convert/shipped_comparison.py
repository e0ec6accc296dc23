"""Compares an exported gender classifier with the shipped one on held-out crops."""

from __future__ import annotations

from time import perf_counter

from image_gender_classifier import loading, manifest
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.train.evaluation.comparison import format_comparison
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops, compare

_TIMED, _ROUNDS = 32, 3
_OLD, _NEW = "shipped", "new"


def compare_with_shipped(
    original: ModelEntry, new: Classifier, held_out: LabelledCrops
) -> str | None:
    """Compares an exported classifier with the shipped one: accuracy, size and time.

    Args:
        original: Entry of the Keras model.
        new: The int8 TFLite file of that model.
        held_out: Crops that the model was not trained on; may be empty.

    Returns:
        A text of several lines; None if there are no crops, or the model is the shipped one or has
        another input size.

    Raises:
        ModelError: A model cannot be run.
    """
    shipped = {entry.sha256 for entry in manifest.load(shipped_models()).models.values()}
    if not len(held_out) or original.sha256 in shipped:
        return None
    old = loading.open_classifier(None, "tflite")
    if old.crop_size != new.crop_size:
        return None
    size = f"{new.entry.bytes:,} bytes instead of {old.entry.bytes:,}"
    times = (f"{1000 * _measure(each, held_out):.1f}" for each in (new, old))
    return (
        "accuracy of the int8 models on held-out pictures, with 95% intervals:\n"
        f"{format_comparison(compare(old, new, held_out), _OLD, _NEW)}\n"
        f"size {size}; {' ms per face instead of '.join(times)} ms"
    )


def _measure(classifier: Classifier, labelled: LabelledCrops) -> float:
    """Returns the shortest time of a prediction in seconds per crop."""
    crops = labelled.crops[:_TIMED]
    seconds = []
    for _ in range(_ROUNDS):
        begin = perf_counter()
        classifier.compute_logits(crops)
        seconds.append((perf_counter() - begin) / len(crops))
    return min(seconds)

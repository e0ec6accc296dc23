"""Classifies labelled pictures with the same code as inference.

Reads pictures one at a time and classifies them in batches, so that memory use does not grow with
the data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.classification.classifier import DECIMALS, Classifier
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.cutting import CutCrop, SkippedSamples
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.evaluation.metrics import Predictions
from image_gender_classifier.train.evaluation.robustness import (
    CLEAN,
    Degradation,
    make_degraded_crop_cutter,
)

BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class SampleResults:
    """The results of classifying labelled pictures.

    Attributes:
        predictions: Labels and predictions of the samples with a detected face.
        no_face: Names of the samples without a detected face.
        unreadable: Name and reason for each sample that cannot be decoded.
    """

    predictions: Predictions
    no_face: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]

    def select_predicted(self, samples: Sequence[Sample]) -> list[Sample]:
        """Returns the samples that have a prediction, in the order of the predictions.

        Args:
            samples: The classified samples.
        """
        skipped = {*self.no_face, *(name for name, _ in self.unreadable)}
        return [sample for sample in samples if sample.name not in skipped]


def classify_samples(
    samples: Sequence[Sample],
    detector: Detector,
    classifier: Classifier,
    degradation: Degradation = CLEAN,
) -> SampleResults:
    """Classifies labelled pictures, with a progress bar if stderr is a terminal.

    Args:
        samples: The labelled pictures.
        detector: Detects the faces.
        classifier: Classifies the main face of each picture.
        degradation: Applied to each face before its classification.

    Returns:
        The predictions, and the samples without a prediction.

    Raises:
        ModelError: A model cannot be run, or the output of the classifier is not one finite number
            per crop.
    """
    cut = (
        cutting.make_crop_cutter(detector)
        if degradation is CLEAN
        else make_degraded_crop_cutter(detector, [degradation])
    )
    (results,) = classify_versions(samples, cut, 1, classifier)
    return results


def classify_versions(
    samples: Sequence[Sample], cut: CutCrop, versions: int, classifier: Classifier
) -> list[SampleResults]:
    """Classifies several versions of each crop, such as degraded ones; reads each picture once.

    Args:
        samples: The labelled pictures.
        cut: Cuts all V versions of a crop (uint8 RGB, V x S x S x 3; S x S x 3 if V is 1).
        versions: Number of versions (V), at least 1.
        classifier: Classifies the crops.

    Returns:
        The results of each version, in order.

    Raises:
        ModelError: A model cannot be run, or the output of the classifier is not one finite number
            per crop.
    """
    skipped = SkippedSamples()
    size = classifier.crop_size
    predicted: list[Sample] = []
    positive = [np.empty((0, versions))]
    for batch in _iterate_batches(
        cutting.iterate_crops(samples, cut, size, skipped, "classifying")
    ):
        predicted += [sample for sample, _ in batch]
        crops = np.stack([crop for _, crop in batch]).reshape(-1, size, size, 3)
        positive.append(classifier.compute_probabilities(crops).reshape(len(batch), versions))
    missing = tuple(skipped.no_face), tuple(skipped.unreadable)
    columns = np.concatenate(positive).T
    return [
        SampleResults(_make_predictions(predicted, column, classifier), *missing)
        for column in columns
    ]


def _iterate_batches(
    crops: Iterable[tuple[Sample, Pixels]],
) -> Iterator[list[tuple[Sample, Pixels]]]:
    """Yields the crops in lists of `BATCH`; the last list can be shorter."""
    batch = []
    for crop in crops:
        batch.append(crop)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _make_predictions(
    samples: Sequence[Sample], positive: npt.NDArray[np.float64], classifier: Classifier
) -> Predictions:
    """Creates the predictions of samples from the probabilities of the positive gender.

    Args:
        samples: The samples with a crop.
        positive: Calibrated probability of the positive gender, float64, N.
        classifier: The classifier, which defines the positive gender.
    """
    kinds = sorted({kind for sample in samples for kind in sample.groups})
    return Predictions(
        gender=np.array([sample.gender for sample in samples], np.str_),
        predicted=np.where(positive >= 0.5, classifier.entry.positive, classifier.entry.negative),
        confidence=np.maximum(positive, 1 - positive).round(DECIMALS),
        groups={
            kind: np.array([sample.groups.get(kind, "") for sample in samples], np.str_)
            for kind in kinds
        },
    )

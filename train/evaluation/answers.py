"""Predictions for labelled pictures, with the code of inference.

Reads pictures one at a time and classifies them in batches, so memory does not limit the data set.
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
from image_gender_classifier.train.common.cutting import CutCrop, WithoutCrop
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.evaluation.metrics import Answers

BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The results of all pictures.

    Attributes:
        answers: Predictions for pictures with a face.
        no_face: Names of the samples in whose picture no face was found.
        unreadable: Name of each sample whose picture cannot be read, with the reason.
    """

    answers: Answers
    no_face: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]


def answer(samples: Sequence[Sample], detector: Detector, classifier: Classifier) -> Outcome:
    """Classifies labelled pictures, with a progress bar if stderr is a terminal.

    Args:
        samples: The labelled pictures.
        detector: Finds the faces.
        classifier: Classifies each picture's main face.

    Raises:
        ModelError: The model does not give one finite number per crop.
    """
    (outcome,) = answer_versions(samples, cutting.by(detector), 1, classifier)
    return outcome


def answer_versions(
    samples: Sequence[Sample], cut: CutCrop, versions: int, classifier: Classifier
) -> list[Outcome]:
    """Classifies several versions of each crop; reads each picture once.

    Args:
        samples: The labelled pictures.
        cut: Gives all V versions of a crop (uint8 RGB, V x S x S x 3; S x S x 3 for one version).
        versions: Number of versions (V).
        classifier: Classifies the crops.

    Returns:
        One outcome per version.

    Raises:
        ModelError: The model does not give one finite number per crop.
    """
    without = WithoutCrop()
    size = classifier.crop_size
    predicted: list[Sample] = []
    positive = [np.empty((0, versions))]
    for batch in _batches(cutting.crops(samples, cut, size, without, "classifying")):
        predicted += [sample for sample, _ in batch]
        crops = np.stack([crop for _, crop in batch]).reshape(-1, size, size, 3)
        positive.append(classifier.probabilities(crops).reshape(len(batch), versions))
    missing = tuple(without.no_face), tuple(without.unreadable)
    columns = np.concatenate(positive).T
    return [Outcome(_answers(predicted, column, classifier), *missing) for column in columns]


def _batches(
    crops: Iterable[tuple[Sample, Pixels]],
) -> Iterator[list[tuple[Sample, Pixels]]]:
    batch = []
    for crop in crops:
        batch.append(crop)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _answers(
    samples: Sequence[Sample], positive: npt.NDArray[np.float64], classifier: Classifier
) -> Answers:
    kinds = sorted({kind for sample in samples for kind in sample.groups})
    return Answers(
        gender=np.array([sample.gender for sample in samples], np.str_),
        predicted=np.where(positive >= 0.5, classifier.entry.positive, classifier.entry.negative),
        confidence=np.maximum(positive, 1 - positive).round(DECIMALS),
        groups={
            kind: np.array([sample.groups.get(kind, "") for sample in samples], np.str_)
            for kind in kinds
        },
    )

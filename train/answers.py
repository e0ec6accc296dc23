"""A model's answers to labelled pictures, through the very code that judges pictures in use.

Pictures are read one at a time and judged by the batch, so that a data set of any size fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier.classifier import Classifier
from image_gender_classifier.faces import Pixels
from image_gender_classifier.pipeline import Detector
from image_gender_classifier.train import cutting
from image_gender_classifier.train.cutting import WithoutCrop
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.metrics import Answers

BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of all pictures.

    Attributes:
        answers: To those with a face.
        no_face: Names of the samples in whose picture no face was found.
        unreadable: Name of each sample whose picture cannot be read, and why.
    """

    answers: Answers
    no_face: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]


def answer(samples: Sequence[Sample], detector: Detector, classifier: Classifier) -> Outcome:
    """Judges labelled pictures, with a progress bar where stderr is a terminal.

    Args:
        samples: The labelled pictures.
        detector: What finds the faces.
        classifier: What judges each picture's main face.

    Raises:
        ModelError: The model gives something else than finite numbers, one a crop.
    """
    without = WithoutCrop()
    cut = cutting.by(detector)
    crops = cutting.crops(samples, cut, classifier.crop_size, without, "judging")
    judged: list[Sample] = []
    probabilities: list[float] = []
    for batch in _batches(crops):
        judged += [sample for sample, _ in batch]
        probabilities += classifier.probabilities(np.stack([crop for _, crop in batch])).tolist()
    answers = _answers(judged, probabilities, classifier)
    return Outcome(answers, tuple(without.no_face), tuple(without.unreadable))


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
    samples: Sequence[Sample], probabilities: Sequence[float], classifier: Classifier
) -> Answers:
    positive = np.array(probabilities, np.float64)
    kinds = sorted({kind for sample in samples for kind in sample.groups})
    return Answers(
        gender=np.array([sample.gender for sample in samples], np.str_),
        said=np.where(positive >= 0.5, classifier.entry.positive, classifier.entry.negative),
        confidence=np.maximum(positive, 1 - positive),
        groups={
            kind: np.array([sample.groups.get(kind, "") for sample in samples], np.str_)
            for kind in kinds
        },
    )

"""Labelled crops for quantisation and verification, cut as in inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import BinaryGender
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.cutting import WithoutCrop
from image_gender_classifier.train.datasets import Sample
from image_gender_classifier.train.gender.augment import degrade, move


@dataclass(frozen=True, slots=True)
class LabelledCrops:
    """Crops with their labels.

    Attributes:
        crops: uint8 RGB, N x S x S x 3.
        female: bool, N.
    """

    crops: Pixels
    female: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.crops)

    def are(self, gender: BinaryGender) -> npt.NDArray[np.bool_]:
        """Gives whether each crop is of a gender (bool, N)."""
        return self.female if gender == "female" else ~self.female


def cut(
    samples: Sequence[Sample], detector: Detector, size: int, without: WithoutCrop
) -> LabelledCrops:
    """Cuts the main face out of each picture.

    Args:
        samples: The labelled pictures.
        detector: Finds the faces.
        size: Side of the crops in pixels.
        without: Collects the pictures that give no crop.

    Returns:
        A crop of each picture with a face; may be empty.
    """
    found = list(cutting.crops(samples, cutting.by(detector), size, without, "cutting crops"))
    pixels = [crop for _, crop in found]
    return LabelledCrops(
        np.stack(pixels) if pixels else np.empty((0, size, size, 3), np.uint8),
        np.array([sample.gender == "female" for sample, _ in found], np.bool_),
    )


def at_least(labelled: LabelledCrops, count: int) -> LabelledCrops:
    """Adds augmented copies until there are at least `count` crops.

    Copies serve for quantisation ranges and for comparing formats, but not for Platt scaling.
    """
    have, size = len(labelled.crops), labelled.crops.shape[1]
    sources = np.arange(max(count - have, 0)) % have
    copies = []
    for number, source in enumerate(sources):
        random = np.random.default_rng((0, number))
        copies.append(degrade(move(labelled.crops[source], size, random), random))
    return LabelledCrops(
        np.stack([*labelled.crops, *copies]),
        np.concatenate([labelled.female, labelled.female[sources]]),
    )

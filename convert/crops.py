"""Labelled crops for calibration and comparison, cut by the code of use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier import images, pipeline
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.faces import Pixels
from image_gender_classifier.pipeline import Detector
from image_gender_classifier.train.augment import augment
from image_gender_classifier.train.datasets import DataError, Sample


@dataclass(frozen=True, slots=True)
class LabelledCrops:
    """Crops with their labels.

    Attributes:
        crops: uint8 RGB, N x S x S x 3.
        female: bool, N.
    """

    crops: Pixels
    female: npt.NDArray[np.bool_]


def cut(samples: Sequence[Sample], detector: Detector, size: int) -> LabelledCrops:
    """Cuts the main face out of each picture; pictures without one are left out.

    Raises:
        DataError: Not one crop can be had.
    """
    crops, female = [], []
    for sample in samples:
        try:
            crop = pipeline.find_crop(images.read(sample.path), detector, size)
        except UnreadablePicture:
            continue
        if crop is not None:
            crops.append(crop)
            female.append(sample.gender == "female")
    if not crops:
        raise DataError("no face in any of the pictures; is --detector the right one?")
    return LabelledCrops(np.stack(crops), np.array(female))


def at_least(labelled: LabelledCrops, count: int) -> LabelledCrops:
    """Adds augmented copies in turn until there are as many crops as wanted."""
    have, size = len(labelled.crops), labelled.crops.shape[1]
    sources = np.arange(max(count - have, 0)) % have
    copies = [
        augment(labelled.crops[source], size, np.random.default_rng((0, number)))
        for number, source in enumerate(sources)
    ]
    return LabelledCrops(
        np.stack([*labelled.crops, *copies]),
        np.concatenate([labelled.female, labelled.female[sources]]),
    )

"""Labelled crops for quantisation and verification, cut with the same code as inference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.augment import degrade_randomly, transform_randomly
from image_gender_classifier.train.common.cutting import SkippedSamples
from image_gender_classifier.train.datasets import Sample
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops


def cut_labelled_crops(
    samples: Sequence[Sample], detector: Detector, size: int, skipped: SkippedSamples
) -> LabelledCrops:
    """Cuts the crop of the labelled face out of each picture.

    Args:
        samples: The labelled pictures.
        detector: Detects the faces.
        size: Side of the crops in pixels.
        skipped: The samples without a crop are appended to its lists.

    Returns:
        The crops in the order of `samples`; may be empty.

    Raises:
        ModelError: A model of the detector cannot be run.
    """
    found = list(
        cutting.iterate_crops(
            samples, cutting.make_crop_cutter(detector), size, skipped, "cutting crops"
        )
    )
    pixels = [crop for _, crop in found]
    return LabelledCrops(
        np.stack(pixels) if pixels else np.empty((0, size, size, 3), np.uint8),
        np.array([sample.gender == "female" for sample, _ in found], np.bool_),
    )


def extend_to_count(labelled: LabelledCrops, count: int) -> LabelledCrops:
    """Appends augmented copies until there are at least `count` crops; deterministic.

    The copies keep the labels. They are suitable for quantisation ranges and for comparing formats,
    but not for Platt scaling.

    Args:
        labelled: At least one crop.
        count: Minimum number of crops.

    Returns:
        The crops, followed by the copies.
    """
    existing, size = len(labelled.crops), labelled.crops.shape[1]
    sources = np.arange(max(count - existing, 0)) % existing
    copies = []
    for number, source in enumerate(sources):
        random = np.random.default_rng((0, number))
        copies.append(
            degrade_randomly(transform_randomly(labelled.crops[source], size, random), random)
        )
    return LabelledCrops(
        np.stack([*labelled.crops, *copies]),
        np.concatenate([labelled.female, labelled.female[sources]]),
    )

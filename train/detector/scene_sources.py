"""Splits face crops and backgrounds into sources of scenes for training and for validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.split import split_names
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.datasets.backgrounds import Backgrounds
from image_gender_classifier.train.detector.scene import Sources


class SceneSources(NamedTuple):
    """Sources of scenes.

    Attributes:
        training: Of pictures that a network is trained on.
        held_out: Of others.
    """

    training: Sources
    held_out: Sources


def split_sources(crop_set: CropSet, backgrounds: Backgrounds, held_out: float) -> SceneSources:
    """Splits face crops and backgrounds by their names.

    Args:
        crop_set: Face crops with the margin of the gender classifier.
        backgrounds: Pictures without people.
        held_out: Fraction of the faces and of the backgrounds held out.

    Raises:
        DataError: There are too few crops or backgrounds: none would be left in one part.
    """
    faces, places = (split_names(names, held_out) for names in (crop_set.names, backgrounds.names))
    for option, what, parts in (
        ("--data", "crops", faces),
        ("--backgrounds", "backgrounds", places),
    ):
        if not parts.training or not parts.held_out:
            count = len(parts.training) + len(parts.held_out)
            raise DataError(
                f"{option}: too few {what} ({count:,}); none would be "
                f"{'left for training' if parts.held_out else 'held out for validation'}; add more"
            )

    def choose(positions: Sequence[int], indices: Sequence[int]) -> Sources:
        return Sources(
            crop_set.crops, positions, [backgrounds.pictures[index] for index in indices]
        )

    return SceneSources(
        choose(faces.training, places.training), choose(faces.held_out, places.held_out)
    )

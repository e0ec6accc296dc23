"""The record of a labelled picture, which all data set readers produce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from image_gender_classifier.results import BinaryGender, Box

__all__ = ["BinaryGender", "Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled picture.

    Attributes:
        name: Unique, stable name within its data set, with forward slashes; its hash determines
            whether the sample is held out.
        path: The picture file.
        gender: Perceived gender as labelled.
        groups: Other labels by kind, such as `{"age": "20-29", "race": "Black"}`.
        box: Bounding box of the labelled face, in pixels of the upright picture; None for the main
            face.
    """

    name: str
    path: Path
    gender: BinaryGender
    groups: Mapping[str, str] = field(default_factory=dict)
    box: Box | None = None

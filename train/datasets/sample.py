"""The one record that every data set reader yields."""

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
        name: The picture's stable name within its data set, with forward slashes; decides to
            which part of a split it belongs.
        path: Where the picture lies.
        gender: Perceived gender as labelled.
        groups: Further labels by kind, as in `{"age": "20-29", "race": "Black"}`.
        box: The labelled face box in pixels, or None where the data set has none.
    """

    name: str
    path: Path
    gender: BinaryGender
    groups: Mapping[str, str] = field(default_factory=dict)
    box: Box | None = None

"""The result of comparing the formats of a network, before they are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from image_gender_classifier.convert.formats import Format


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of comparing a network's formats.

    Attributes:
        summary: The measured figures as lines of text for the user.
        faults: Reasons not to publish each format; an empty list if it passes.
        float32_fault: Reason not to publish the float32 variant; None if it passes.
    """

    summary: str
    faults: Mapping[Format, Sequence[str]]
    float32_fault: str | None

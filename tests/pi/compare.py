"""Compares what two systems say of the same pictures: their folders of XML files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

LEAST_OVERLAP = 0.9
PICTURES_PER_DIFFERENCE = 50
_RUN = re.compile(rb' run="[^"]*"')

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system says of a picture.

    Attributes:
        gender: The gender.
        status: How the answer came about.
        run: Short hash of picture, model and options.
        box: The main face's x, y, width and height; None where no face was found.
        data: The whole file, without the hash.
    """

    gender: str
    status: str
    run: str
    box: Box | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two systems agree.

    Attributes:
        pictures: How many pictures both judged.
        same_bytes: How many of the XML files are the same to the byte, but for the hash.
        different: Pictures with another gender or status.
        overlaps: By picture, intersection over union of the main face's boxes, where gender and
            status are the same and there is a face.
        missing: Pictures that only one of the two judged.
    """

    pictures: int
    same_bytes: int
    different: tuple[str, ...]
    overlaps: Mapping[str, float]
    missing: tuple[str, ...]

    def faults(self) -> list[str]:
        """What keeps the two from counting as the same, one line each."""
        found = []
        if self.missing:
            found.append(f"judged by one of the two only: {', '.join(self.missing)}")
        allowed = max(self.pictures // PICTURES_PER_DIFFERENCE, 1)
        if len(self.different) > allowed:
            found.append(
                f"another gender or status for {len(self.different)} of {self.pictures} pictures, "
                f"{allowed} allowed: {', '.join(self.different)}"
            )
        apart = [name for name, overlap in self.overlaps.items() if overlap < LEAST_OVERLAP]
        if apart:
            found.append(f"boxes overlap by less than {LEAST_OVERLAP}: {', '.join(apart)}")
        return found

    def __str__(self) -> str:
        """The figures in one line."""
        least = f"{min(self.overlaps.values()):.3f}" if self.overlaps else "none"
        return (
            f"{self.pictures - len(self.different)} of {self.pictures} same gender and status, "
            f"least overlap of boxes {least}, {self.same_bytes} XML files the same to the byte"
        )


def read_answers(folder: Path) -> dict[str, Answer]:
    """Reads a folder of XML files, by name."""
    return {path.name: read_answer(path.read_bytes()) for path in sorted(folder.glob("*.xml"))}


def read_answer(data: bytes) -> Answer:
    """Reads one XML file."""
    image = ElementTree.fromstring(data)
    face = image.find("face")
    box = None
    if face is not None:
        x, y, width, height = (float(face.get(name, "")) for name in ("x", "y", "width", "height"))
        box = (x, y, width, height)
    rest = _RUN.sub(b"", data, count=1)
    return Answer(image.get("gender", ""), image.get("status", ""), image.get("run", ""), box, rest)


def compare(expected: Mapping[str, Answer], found: Mapping[str, Answer]) -> Comparison:
    """Compares a system's answers with the expected ones, by file name."""
    both = [name for name in expected if name in found]
    pairs = {name: (expected[name], found[name]) for name in both}
    different = [
        name for name, (a, b) in pairs.items() if (a.gender, a.status) != (b.gender, b.status)
    ]
    overlaps = {
        name: overlap(a.box, b.box)
        for name, (a, b) in pairs.items()
        if name not in different and a.box and b.box
    }
    return Comparison(
        pictures=len(expected),
        same_bytes=sum(a.data == b.data for a, b in pairs.values()),
        different=tuple(different),
        overlaps=overlaps,
        missing=tuple(sorted(expected.keys() ^ found.keys())),
    )


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def other_runs(expected: Mapping[str, Answer], found: Mapping[str, Answer]) -> list[str]:
    """The pictures to which two systems with the same runtime give another hash."""
    return [name for name in expected if name in found and expected[name].run != found[name].run]


def most_steps(expected: Sequence[float], found: Sequence[float], step: float) -> float:
    """The largest difference of two systems' logits for the same crops, in quantisation steps."""
    return max(abs(a - b) / step for a, b in zip(expected, found, strict=True))

"""The frozen records that travel from one room to the next.

They know nothing of files, pixels or networks, so every other module may import them. They are
named tuples, as are all small records of the command: each dataclass would add a third of a
millisecond to every start.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

BinaryGender = Literal["female", "male"]
Gender = Literal["female", "male", "unknown"]
Status = Literal["classified", "uncertain", "no_face", "unreadable"]


class Box(NamedTuple):
    """An axis-parallel rectangle.

    Attributes:
        x: Left edge in pixels, from the left edge of the picture as a person sees it.
        y: Top edge in pixels.
        width: Width in pixels.
        height: Height in pixels.
    """

    x: float
    y: float
    width: float
    height: float


class Face(NamedTuple):
    """A face that a detector found in a picture.

    Attributes:
        box: Where it is, in pixels of the original picture (EXIF applied): the classifier's frame,
            or the box of a cascade that searched alone.
        detector: The name of the stage that found it, as in the manifest.
        gender: The perceived gender, or None where the face was not judged.
        confidence: Calibrated probability (0.5 to 1) of the likelier gender, None if not judged.
    """

    box: Box
    detector: str
    gender: Gender | None = None
    confidence: float | None = None


class Prediction(NamedTuple):
    """What is said of one picture.

    Attributes:
        file: The picture's path below the input folder, with forward slashes.
        status: How the answer came about.
        gender: The perceived gender of the main face; `unknown` unless classified.
        confidence: Calibrated probability (0.5 to 1) of the main face's likelier gender; None
            where no face was judged.
        faces: Every face found, the one that decides first.
        run: Short hash of picture, model and options.
        message: Why the picture could not be read; None otherwise.
    """

    file: str
    status: Status
    gender: Gender
    confidence: float | None = None
    faces: tuple[Face, ...] = ()
    run: str = ""
    message: str | None = None

    @property
    def doubtful(self) -> bool:
        """Whether a person should look: a picture without a face, or too unsure a gender."""
        return self.status in ("uncertain", "no_face")


class Drawings(NamedTuple):
    """What was drawn of a picture and its verdict, as JPEG files; None where nothing was.

    Attributes:
        copy: For a person to look at.
        thumbnail: The same, small.
    """

    copy: bytes | None = None
    thumbnail: bytes | None = None


NO_DRAWINGS = Drawings()

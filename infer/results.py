"""The records of a result, shared by every layer.

Only `Prediction` is a dataclass: each one adds a third of a millisecond to every start.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

BinaryGender = Literal["female", "male"]
Gender = Literal["female", "male", "unknown"]
Status = Literal["classified", "uncertain", "no_face", "unreadable"]


class Box(NamedTuple):
    """An axis-parallel rectangle, in pixels of the upright picture.

    Attributes:
        x: Left edge.
        y: Top edge.
        width: Width.
        height: Height.
    """

    x: float
    y: float
    width: float
    height: float


class Face(NamedTuple):
    """A face in a picture.

    Attributes:
        box: Its box, in pixels of the original picture (EXIF orientation applied).
        detector: The stage that found it, as named in the manifest.
        gender: The perceived gender; None for a face that was not classified.
        confidence: Calibrated probability (0.5 to 1) of the likelier gender; None likewise.
        score: Probability (0 to 1) that it is a face, by the face detector network; None without
            the network.
    """

    box: Box
    detector: str
    gender: Gender | None = None
    confidence: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class Prediction:
    """The result for one picture.

    Attributes:
        file: The picture's name, or its path below the input folder, with forward slashes.
        status: `classified`, `uncertain`, `no_face` or `unreadable`.
        gender: The perceived gender of the main face; `unknown` unless classified.
        confidence: Calibrated probability (0.5 to 1) of the main face's likelier gender; None
            where no face was classified.
        faces: Every face found, the main one first.
        run: Short hash of picture, model and settings.
        message: Why the picture is unreadable; None otherwise.
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
        """Whether a person should review it: no face, or an uncertain gender."""
        return self.status in ("uncertain", "no_face")

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values that `json.dumps` takes."""
        faces = [
            {
                **face.box._asdict(),
                "detector": face.detector,
                "gender": face.gender,
                "confidence": face.confidence,
                "score": face.score,
            }
            for face in self.faces
        ]
        return {**vars(self), "faces": faces}


class Drawings(NamedTuple):
    """Copies of a picture with the prediction drawn on them, as JPEG files; None where not wanted.

    Attributes:
        copy: For `--annotate`.
        thumbnail: For the contact sheet.
    """

    copy: bytes | None = None
    thumbnail: bytes | None = None


NO_DRAWINGS = Drawings()

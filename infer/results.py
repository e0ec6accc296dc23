"""The records of a prediction, shared by all layers.

Only `Prediction` is a dataclass, because each one adds a third of a millisecond to every start.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

BinaryGender = Literal["female", "male"]
Gender = Literal["female", "male", "unknown"]
Status = Literal["classified", "uncertain", "no_face", "unreadable"]


class Box(NamedTuple):
    """A bounding box in pixels of the upright picture (EXIF orientation applied).

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
        box: Bounding box, in pixels of the original picture.
        detector: Name of the detector that found it: `lbp`, `cnn` or `none`.
        gender: The perceived gender; None if the face was not classified.
        confidence: Calibrated probability (0.5 to 1) of the more probable gender; None if the face
            was not classified.
        score: Probability (0 to 1) that it is a face, from the face detector network; None if the
            network did not run.
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
        file: Name of the picture, or its path relative to the input folder, with `/`.
        status: `classified`, `uncertain`, `no_face` or `unreadable`.
        gender: The perceived gender of the main face; `unknown` unless the status is `classified`.
        confidence: Calibrated probability (0.5 to 1) of the main face's more probable gender; None
            if no face was classified.
        faces: All detected faces, the main one first.
        run: Short hash of picture, model and settings.
        message: Why the picture is unreadable; None if it is not.
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
        """Whether a person should check the picture: no face, or an uncertain gender."""
        return self.status in ("uncertain", "no_face")

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as a dict of plain values for `json.dumps`.

        Each face is a dict too; the fields of its box (in pixels) are keys of the face.
        """
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
    """Pictures with the prediction drawn on them, as JPEG files; None if not requested.

    Attributes:
        copy: Annotated copy for `--annotate`.
        thumbnail: Thumbnail for `--contact-sheet`.
    """

    copy: bytes | None = None
    thumbnail: bytes | None = None


NO_DRAWINGS = Drawings()

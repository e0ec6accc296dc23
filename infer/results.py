"""The types of results, which all layers use: prediction, face, bounding box and drawings.

Only `Prediction` is a dataclass, because each dataclass adds 0.3 ms to every start.
"""

import os
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

BinaryGender = Literal["female", "male"]
Gender = Literal["female", "male", "unknown"]
Turn = Literal[0, 90, 180, 270]
Status = Literal["classified", "uncertain", "no_face", "unreadable", "reviewed"]


class Box(NamedTuple):
    """A bounding box; may extend beyond the picture.

    The unit is pixels of the upright original picture (EXIF orientation applied), unless a function
    states another.

    Attributes:
        x: Left edge.
        y: Top edge; increases downwards.
        width: Width.
        height: Height.
    """

    x: float
    y: float
    width: float
    height: float


def intersect_boxes(one: Box, other: Box) -> float:
    """Returns the area that two boxes have in common."""
    x, y, width, height = one
    other_x, other_y, other_width, other_height = other
    across = min(x + width, other_x + other_width) - max(x, other_x)
    down = min(y + height, other_y + other_height) - max(y, other_y)
    return 0.0 if across <= 0 or down <= 0 else across * down


def compute_iou(one: Box, other: Box) -> float:
    """Returns the intersection over union (IoU) of two boxes; 0 for boxes without area."""
    common = intersect_boxes(one, other)
    if not common:
        return 0.0
    return common / (one.width * one.height + other.width * other.height - common)


class Face(NamedTuple):
    """A face in a picture.

    Attributes:
        box: Bounding box, in pixels of the original picture; may have been corrected by the network
            that classified the crop.
        detector: Name of the detector that detected the face: `lbp`, `cnn` or `none`;
            `reviewed` if the face is known from a review only.
        gender: The perceived gender, `unknown` if the confidence is below the threshold; None if
            the face was not classified.
        confidence: Calibrated probability (0.5 to 1) of the more probable gender; None if the face
            was not classified.
        score: Probability (0 to 1) that the box contains a face, from the face detector network
            and, for a doubtful face, the gender network's face output; None if neither ran.
        p_female: Calibrated probability (0 to 1) of `female`, whatever the threshold; None if the
            face was not classified.
        turn: Degrees by which the picture has to be turned clockwise to show the face upright.
    """

    box: Box
    detector: str
    gender: Gender | None = None
    confidence: float | None = None
    score: float | None = None
    p_female: float | None = None
    turn: Turn = 0

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as a dict of plain values, with those of the box as its first keys."""
        return {
            **self.box._asdict(),
            "gender": self.gender,
            "confidence": self.confidence,
            "p_female": self.p_female,
            "detector": self.detector,
            "score": self.score,
            "turn": self.turn,
        }


@dataclass(frozen=True)
class Prediction:
    """The result for one picture.

    Attributes:
        file: Name of the picture, or its path relative to the input folder, with `/`.
        status: `classified`, `uncertain`, `no_face`, `unreadable` or `reviewed` (by a person).
        gender: The perceived gender of the main face; `unknown` unless the status is `classified`
            or `reviewed`.
        confidence: Calibrated probability (0.5 to 1) of the main face's more probable gender; None
            if no face was classified.
        faces: The detected faces, the main face first; empty if there are none.
        run: Short hash of picture, model, settings and program version, for `--resume`.
        message: Why the picture is unreadable; None if it is not.
        p_female: Calibrated probability (0 to 1) that the main face is `female`, whatever the
            threshold; None if no face was classified.
    """

    file: str
    status: Status
    gender: Gender
    confidence: float | None = None
    faces: tuple[Face, ...] = ()
    run: str = ""
    message: str | None = None
    p_female: float | None = None

    @property
    def id(self) -> str:
        """The file name without its folder and its last extension."""
        return os.path.splitext(self.file.rpartition("/")[2])[0]

    @property
    def shows_no_face(self) -> bool:
        """Whether the picture has no face, as detected or as a person said."""
        reviewed = self.status == "reviewed" and self.gender == "unknown" and not self.faces
        return self.status == "no_face" or reviewed

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as a dict that `json.dumps` accepts, with the keys of `--jsonl`.

        Each face is a dict too, with the fields of its box (in pixels) as `x`, `y`, `width` and
        `height`.
        """
        return {
            "id": self.id,
            "file": self.file,
            "gender": self.gender,
            "confidence": self.confidence,
            "p_female": self.p_female,
            "status": self.status,
            "run": self.run,
            "message": self.message,
            "faces": [face.to_dict() for face in self.faces],
        }


class Stored(NamedTuple):
    """The size and orientation of a picture as its file stores it.

    Attributes:
        width: Stored pixels per row.
        height: Stored rows.
        orientation: EXIF orientation (1 to 8), which turns them upright.
    """

    width: int
    height: int
    orientation: int


class Preview(NamedTuple):
    """A small copy of a picture, for the page of the review and of the report.

    Attributes:
        picture: Hash of what a person sees (`picture_content.content_hash`); empty if it is not
            known.
        width: Width of the upright picture in pixels; 0 if it cannot be decoded.
        height: Its height.
        jpeg: The copy as a JPEG file; empty if it cannot be decoded.
        message: Why there is no copy; None if there is one.
        file_hash: Hash of all bytes of the file (`cache_key.file_hash`), as reviews of version
            0.2.0 have it; empty if it is not known.
    """

    picture: str = ""
    width: int = 0
    height: int = 0
    jpeg: bytes = b""
    message: str | None = None
    file_hash: str = ""


class Drawings(NamedTuple):
    """Drawings and properties of a picture that outputs need; each is None if not requested.

    Attributes:
        copy: Annotated copy for `--annotate`, a JPEG file.
        thumbnail: Thumbnail for `--report`.
        stored: Its size and orientation in the file, for `--xmp`.
    """

    copy: bytes | None = None
    thumbnail: Preview | None = None
    stored: Stored | None = None


NO_DRAWINGS = Drawings()

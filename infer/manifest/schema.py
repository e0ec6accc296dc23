"""What the manifest says of each file: plain records, which know nothing of its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from image_gender_classifier.results import BinaryGender

_NOTHING: Mapping[str, Any] = {}


class Calibration(NamedTuple):
    """Platt scaling: P(positive) = sigmoid(slope x logit + bias).

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999.
    """

    slope: float = 1.0
    bias: float = 0.0


class Form(NamedTuple):
    """Another file of the same network, with the same answers.

    Attributes:
        file: File name in the manifest's folder.
        sha256: Hash of the file, hexadecimal.
        bytes: Size of the file.
    """

    file: str
    sha256: str
    bytes: int


class ModelEntry(NamedTuple):
    """What a gender classifier's file holds and how to read its answers.

    Attributes:
        file: File name in the manifest's folder.
        sha256: Hash of the file, hexadecimal.
        bytes: Size of the file.
        input_shape: Height, width and channels of a crop.
        input_dtype: Type of the crop's numbers.
        colour_order: Order of the channels.
        framing: The framing of the face that the model learnt.
        positive: Gender that a positive logit means.
        negative: Gender that a negative logit means.
        calibration: From logit to probability.
        threshold: Confidence below which a verdict is `uncertain`.
        license: SPDX expression.
        second_look: Confidence below which the mirrored crop is judged too and the mean of both
            logits counts; 0 for never.
        trained: Data, command, seed and whatever else made the file.
        measured: Figures measured on the file.
        in_float: An int8 TFLite file's integers in float32 arithmetic, for runtimes whose int8
            kernels round otherwise.
    """

    file: str
    sha256: str
    bytes: int
    input_shape: tuple[int, int, int]
    input_dtype: str
    colour_order: str
    framing: str
    positive: BinaryGender
    negative: BinaryGender
    calibration: Calibration
    threshold: float
    license: str
    tta_threshold: float = 0.0
    trained: Mapping[str, Any] = _NOTHING
    measured: Mapping[str, Any] = _NOTHING
    in_float: Form | None = None


class CascadeEntry(NamedTuple):
    """A cascade's file, how it searches, and how its boxes lie to the classifier's frame.

    Attributes:
        file: File name in the manifest's folder.
        sha256: Hash of the file, hexadecimal.
        bytes: Size of the file.
        detector: Name of the stage, as verdicts give it.
        longest_side: Side in pixels to which a larger picture is shrunk for the search.
        smallest_face: Smallest box searched, as a share of the picture's shorter side.
        scale_factor: Ratio of one searched size to the next.
        min_neighbors: Overlapping hits that make a box.
        frame_scale: Side of the classifier's frame over side of the box.
        frame_shift_y: How far the frame's centre lies below the box's, in sides of the box.
        license: SPDX expression.
        source: Where the file is from.
    """

    file: str
    sha256: str
    bytes: int
    detector: str
    longest_side: int
    smallest_face: float
    scale_factor: float
    min_neighbors: int
    frame_scale: float
    frame_shift_y: float
    license: str
    source: str

    @property
    def cache_key(self) -> tuple[object, ...]:
        """What of the entry decides a verdict."""
        search = self.longest_side, self.smallest_face, self.scale_factor, self.min_neighbors
        return self.sha256, self.detector, *search, self.frame_scale, self.frame_shift_y


class FaceDetectorEntry(NamedTuple):
    """A face finder's file: a network from a picture to the classifier's frames.

    Attributes:
        file: File name in the manifest's folder.
        sha256: Hash of the file, hexadecimal.
        bytes: Size of the file.
        input_shape: Height, width and channels of what it looks at.
        input_dtype: Type of its numbers.
        colour_order: Order of the channels.
        detector: Name of the stage, as verdicts give it.
        smallest_face: Side of the smallest frame that it sees well, as a share of its input's.
        suspicion: Least score of what may be a face in a look at much of a picture.
        threshold: Least score of a face in looks of its own.
        frame_scale: Side of the classifier's frame over that of the frames that it tells.
        license: SPDX expression.
        trained: Data, command, seed and whatever else made the file.
        measured: Figures measured on the file.
        in_float: As of a gender classifier.
    """

    file: str
    sha256: str
    bytes: int
    input_shape: tuple[int, int, int]
    input_dtype: str
    colour_order: str
    detector: str
    smallest_face: float
    candidate_threshold: float
    threshold: float
    frame_scale: float
    license: str
    trained: Mapping[str, Any] = _NOTHING
    measured: Mapping[str, Any] = _NOTHING
    in_float: Form | None = None

    @property
    def cache_key(self) -> tuple[object, ...]:
        """What of the entry decides a verdict."""
        search = self.smallest_face, self.candidate_threshold, self.threshold, self.frame_scale
        return self.sha256, self.detector, *search


NetworkEntry = ModelEntry | FaceDetectorEntry
Entry = NetworkEntry | CascadeEntry

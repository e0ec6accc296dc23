"""Schema of the manifest: the entry of each kind of model file."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, NamedTuple, Protocol

from image_gender_classifier.results import BinaryGender

FACE_SHAPE, FRAME_SHAPE = (2,), (3,)
"""Shapes of a gender network's face output and frame output for one crop, which identify them."""

INPUT_STEP = 32
"""Sides of a face detector's larger inputs are multiples of this, in pixels.

A multiple of its largest stride, so large that pictures of all shapes need few different inputs.
"""

_NOTHING: Mapping[str, Any] = {}


class VerifiedFile(Protocol):
    """A model file with its hash: an entry of the manifest, or the float32 variant of one."""

    @property
    def file(self) -> str:
        """File name in the folder of the manifest."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 hash of the file, hexadecimal."""
        ...


class Calibration(NamedTuple):
    """Platt scaling: P(positive) = sigmoid(slope x logit + bias).

    See Platt, "Probabilistic Outputs for Support Vector Machines" (1999).

    Attributes:
        slope: Factor of the logit; greater than 0.
        bias: Added to the scaled logit.
    """

    slope: float = 1.0
    bias: float = 0.0


class Float32Variant(NamedTuple):
    """A second file of an int8 network, which computes the same integers in float32.

    Its outputs equal those of the int8 file with single rounding. Runtimes whose int8 kernels round
    differently run this file instead.

    Attributes:
        file: File name in the folder of the manifest.
        sha256: SHA-256 hash of the file, hexadecimal.
        bytes: Size of the file in bytes.
    """

    file: str
    sha256: str
    bytes: int


class FaceOutput(NamedTuple):
    """Parameters of the face output of a gender network, which decides about doubtful faces.

    P(face) = sigmoid(slope x face logit + detector_slope x logit of the face detector + bias). The
    face logit is the difference of the output's two channels, "face" minus "no face".

    Attributes:
        slope: Factor of the face logit.
        detector_slope: Factor of the face detector's logit.
        bias: Added to the sum.
        lowest: Score (0 to 1) of the face detector below which a candidate is no face.
        surest: Score (0 to 1) of the face detector from which a candidate is a face; between
            `lowest` and `surest` it is doubtful.
        threshold: Minimum P(face) of a doubtful face.
        turned_threshold: Like `threshold`, for a face that is upright only if the picture is turned
            by a multiple of 90 degrees; 1 or more if such pictures need faces that are sure.
        sure_logit: Log-odds of P(face) from which a doubtful face counts as a sure one.
    """

    slope: float
    detector_slope: float
    bias: float
    lowest: float
    surest: float
    threshold: float
    turned_threshold: float
    sure_logit: float


class FrameOutput(NamedTuple):
    """Units of the frame output of a gender network, which corrects the frame of a detected face.

    Attributes:
        right: How far to the right one unit moves the frame, in its sides.
        down: Likewise, down.
        log_side: What one unit adds to the natural logarithm of the frame's side.
    """

    right: float
    down: float
    log_side: float


class ModelEntry(NamedTuple):
    """The manifest entry of a gender classifier.

    Attributes:
        file: File name in the folder of the manifest.
        sha256: SHA-256 hash of the file, hexadecimal.
        bytes: Size of the file in bytes.
        input_shape: Height, width and channels of a crop.
        input_dtype: NumPy name of the crop's dtype. If it is uint8 and the file's input int8, the
            file gets the pixels minus 128.
        colour_order: Order of the channels, such as `RGB`.
        framing: Name of the framing of the training crops.
        positive: Gender whose probability increases with the logit.
        negative: The other gender.
        calibration: Maps a logit to a probability.
        threshold: Confidence below which a prediction is `uncertain`.
        license: SPDX license expression.
        tta_threshold: Confidence below which the logit is the mean over the crop and the flipped
            crop (test-time augmentation); 0 for never.
        trained: Data, command, seed and versions that produced the file.
        measured: Metrics measured on the file.
        float32_variant: The float32 variant of an int8 TFLite file; None if there is none.
        face_output: How the network's face output is used; None if it has none.
        frame_output: How the network's frame output is used; None if it has none.
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
    float32_variant: Float32Variant | None = None
    face_output: FaceOutput | None = None
    frame_output: FrameOutput | None = None

    @property
    def outputs(self) -> int:
        """Number of the network's outputs: the gender logit and those that were added."""
        return 1 + sum(added is not None for added in (self.face_output, self.frame_output))

    @property
    def format(self) -> str:
        """Format of the file, such as `tflite`; see `RuntimeEntry.format`."""
        return file_format(self.file)


class CascadeEntry(NamedTuple):
    """The manifest entry of a cascade: file, search parameters and mapping of boxes to frames.

    Attributes:
        file: File name in the folder of the manifest.
        sha256: SHA-256 hash of the file, hexadecimal.
        bytes: Size of the file in bytes.
        detector: Name of the detector in predictions.
        longest_side: Longest side in pixels of the copy of the picture that is searched.
        smallest_face: Side of the smallest box, as a fraction of the picture's shorter side.
        scale_factor: Ratio of successive box sizes (`scaleFactor` of OpenCV's `detectMultiScale`).
        min_neighbors: Minimum number of overlapping detections for a box (`minNeighbors` of
            `detectMultiScale`).
        frame_scale: Side of the classifier's frame divided by the side of the box.
        frame_shift_y: Distance from the centre of the box down to that of the frame, divided by the
            side of the box.
        license: SPDX license expression.
        source: Origin of the file.
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
        """The hash and values that affect predictions; part of the `run` hash."""
        search = self.longest_side, self.smallest_face, self.scale_factor, self.min_neighbors
        return self.sha256, self.detector, *search, self.frame_scale, self.frame_shift_y


class SearchLogits(NamedTuple):
    """Logits of a face detector network that decide what the search for faces does next.

    Attributes:
        clear: Minimum of a large candidate in the whole picture that is a face without a run of the
            network on its own tile.
        first: Minimum of a candidate in the whole picture that is verified before the search goes
            on; a second pass sees the others better.
        later: Minimum of an upright candidate that is verified after that.
        turned: Minimum of a candidate in a turned picture.
        tile: Minimum of a detection in a candidate's own tile.
        candidate_weight: Factor of the candidate's logit, added to the logit in its own tile.
        largest_gain: How much higher the sum can be than the candidate's logit; for nearly all
            faces.
    """

    clear: float
    first: float
    later: float
    turned: float
    tile: float
    candidate_weight: float
    largest_gain: float


class FaceDetectorEntry(NamedTuple):
    """The manifest entry of a face detector network. `ModelEntry` describes the other fields.

    If a gender network has a face output, `FaceOutput` decides instead of the thresholds of faces;
    pictures are turned then, and `second_threshold` only says whether there is a second pass.

    Attributes:
        detector: Name of the detector in predictions.
        smallest_face: Side of the smallest frame that is detected reliably, as a fraction of the
            usual input's side.
        candidate_threshold: Minimum score (0 to 1) of a candidate in the tiles that cover the
            picture; at most `threshold`. Later steps of the search require more (`search`).
        threshold: Minimum score (0 to 1) of a face: the sigmoid of its logit.
        frame_scale: Side of the classifier's frame divided by the side of the network's frame.
        search: Logits that decide about the steps of the search.
        second_threshold: Like `threshold`, for a face that the first pass over the picture missed;
            None if there is one pass by default, and then `threshold` holds for all.
        turned_threshold: Like `threshold`, for a face that is upright only if the picture is turned
            by a multiple of 90 degrees; None if pictures are not turned.
        largest_input: Longest side of an input in pixels: the network accepts any height and width
            up to this that are multiples of `INPUT_STEP` (after conversion; a `.keras` file has one
            size). None if it accepts only its usual input; a second pass then takes up to nine runs
            instead of one or two.
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
    search: SearchLogits
    license: str
    trained: Mapping[str, Any] = _NOTHING
    measured: Mapping[str, Any] = _NOTHING
    float32_variant: Float32Variant | None = None
    second_threshold: float | None = None
    turned_threshold: float | None = None
    largest_input: int | None = None

    @property
    def format(self) -> str:
        """Format of the file, such as `tflite`; see `RuntimeEntry.format`."""
        return file_format(self.file)

    @property
    def cache_key(self) -> tuple[object, ...]:
        """The hash and values that affect predictions; part of the `run` hash."""
        first = self.smallest_face, self.candidate_threshold, self.threshold, self.frame_scale
        further = self.second_threshold, self.turned_threshold, self.largest_input
        return self.sha256, self.detector, *first, *further, *self.search


class FaceRefinerEntry(NamedTuple):
    """The manifest entry of a face refiner network. `ModelEntry` describes the other fields.

    Attributes:
        margin: Side of the network's view divided by the side of the candidate's frame.
        candidate_weight: Factor of the face detector's logit, added to that of this network.
        lowest: Minimum sum of both logits of a candidate that can be a face.
        screened: Likewise after the first pass, where few candidates are faces.
        screened_turned: Likewise in a turned picture.
        surest: Sum of both logits from which an upright candidate is a face; between `lowest` and
            `surest`, the face detector sees it again.
        tile_weight: Factor of that sum, added to the logit of the face detector there.
    """

    file: str
    sha256: str
    bytes: int
    input_shape: tuple[int, int, int]
    input_dtype: str
    colour_order: str
    margin: float
    candidate_weight: float
    lowest: float
    screened: float
    screened_turned: float
    surest: float
    tile_weight: float
    license: str
    trained: Mapping[str, Any] = _NOTHING
    measured: Mapping[str, Any] = _NOTHING
    float32_variant: Float32Variant | None = None

    @property
    def format(self) -> str:
        """Format of the file, such as `tflite`; see `RuntimeEntry.format`."""
        return file_format(self.file)

    @property
    def cache_key(self) -> tuple[object, ...]:
        """The hash and values that affect predictions; part of the `run` hash."""
        bounds = self.lowest, self.screened, self.screened_turned, self.surest
        return self.sha256, self.margin, self.candidate_weight, *bounds, self.tile_weight


NetworkEntry = ModelEntry | FaceDetectorEntry | FaceRefinerEntry
Entry = NetworkEntry | CascadeEntry


def file_format(file: str) -> str:
    """Returns the suffix of a file name in lower case, without the dot."""
    return PurePath(file).suffix.lower().removeprefix(".")

"""The settings of a classifier."""

from typing import NamedTuple

RuntimeChoice = str
"""`auto` or the name of a runtime in `runtimes.registry`."""

DetectorChoice = str
"""The name of a detector in `detection.registry`."""

MAX_BYTES = 2**29  # of a picture file
MAX_JPEG_PIXELS = 2**28  # of a JPEG that can be decoded at a reduced size
MAX_PIXELS = 2**26  # of other pictures: 192 MiB when decoded, 256 MiB with alpha
MOST_PIXELS = 2**30  # limit of OpenCV
SMALLEST_FACE = 0.02  # of a picture's shorter side: smaller faces have too few pixels


class Settings(NamedTuple):
    """The settings of a classifier: the arguments of `load` and options of the command.

    Attributes:
        model: Path of a model file, in the same folder as its manifest; None for the shipped one.
        runtime: `auto` or the name of a runtime.
        detector: Name of a detector.
        threshold: Confidence (0 to 1) below which a prediction is `uncertain`; None for the
            manifest's.
        min_face: Side of the smallest face to detect, as a fraction of the picture's shorter side;
            None for about 12 % of the longer side.
        all_faces: Detect and classify every face, not only the main one.
        max_pixels: Maximum width times height of a picture; None for `MAX_JPEG_PIXELS` or
            `MAX_PIXELS`.
        max_bytes: Maximum size of a picture file in bytes.
    """

    model: str | None = None
    runtime: RuntimeChoice = "auto"
    detector: DetectorChoice = "cascade"
    threshold: float | None = None
    min_face: float | None = None
    all_faces: bool = False
    max_pixels: int | None = None
    max_bytes: int = MAX_BYTES

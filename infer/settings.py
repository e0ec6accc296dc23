"""The settings of a classifier."""

from typing import NamedTuple

RuntimeChoice = str
"""`auto` or the name of a runtime in `runtimes.registry`."""

DetectorChoice = str
"""The name of a detector in `detection.registry`."""

MAX_BYTES = 2**29  # of a picture file
MAX_JPEG_PIXELS = 2**28  # of a single-scan JPEG, which is decoded at a reduced size
MAX_PIXELS = 2**26  # of other pictures: 192 MiB when decoded, 256 MiB with alpha
MOST_BYTES = 2**40  # maximum of `max_bytes`: more than the memory holds
MOST_PIXELS = 2**30  # maximum of `max_pixels`: OpenCV decodes no larger picture
# Minimum of `min_face`: smaller faces have too few pixels at the working size.
SMALLEST_FACE = 0.02


class Settings(NamedTuple):
    """The settings of a classifier: the arguments of `load` and options of the command.

    Attributes:
        model: Path of a model file, in the same folder as its manifest; None for the shipped one.
        runtime: `auto` or the name of a runtime.
        detector: Name of a detector.
        threshold: Confidence (0 to 1) below which a prediction is `uncertain`; None for the
            threshold in the manifest.
        min_face: Side of the smallest face to detect, as a fraction of the picture's shorter side;
            None for about 6 % of the longer side.
        all_faces: Whether to detect and classify all faces, not only the main one.
        max_pixels: Maximum width times height of a picture, each pixel counted
            `Header.memory_factor` times; None for `MAX_JPEG_PIXELS` or `MAX_PIXELS`.
        max_bytes: Maximum size of a picture file in bytes.
    """

    model: str | None = None
    runtime: RuntimeChoice = "auto"
    detector: DetectorChoice = "network"
    threshold: float | None = None
    min_face: float | None = None
    all_faces: bool = False
    max_pixels: int | None = None
    max_bytes: int = MAX_BYTES

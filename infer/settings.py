"""The settings of a classifier."""

from typing import NamedTuple

RuntimeChoice = str
"""`auto` or the name of a runtime in `runtimes.registry`."""

DetectorChoice = str
"""The name of a detector in `detection.registry`."""

MAX_BYTES = 2**29  # of a picture file
MAX_JPEG_PIXELS = 2**28  # of a baseline JPEG, which is decoded at a reduced size
MAX_PIXELS = 2**26  # of other pictures: 192 MiB when decoded, 256 MiB with alpha
MOST_PIXELS = 2**30  # limit of OpenCV
SMALLEST_FACE = 0.02  # of a picture's shorter side: its working copy has too few pixels for less


class Settings(NamedTuple):
    """The settings of a classifier, as `load` and the command take them.

    Attributes:
        model: Path of a model file beside its manifest, or None for the shipped one.
        runtime: The runtime; `auto` takes LiteRT, or ONNX Runtime where LiteRT is missing.
        detector: `cascade` searches each picture for a face, `lbp` with the first stage alone;
            `none` takes each picture as a face crop.
        threshold: Confidence below which a prediction is `uncertain`, or None for the manifest's.
        min_face: The smallest face to find, as a share of a picture's shorter side; None for faces
            of about 12 % of the longer side and up.
        all_faces: Find and classify every face, not only the main one.
        max_pixels: Most pixels of a picture, width times height; None for the default.
        max_bytes: Most bytes of a file.
    """

    model: str | None = None
    runtime: RuntimeChoice = "auto"
    detector: DetectorChoice = "cascade"
    threshold: float | None = None
    min_face: float | None = None
    all_faces: bool = False
    max_pixels: int | None = None
    max_bytes: int = MAX_BYTES

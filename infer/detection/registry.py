"""The registry of detectors: one entry for each value of `--detector`.

To add a detector, write a module in this folder with a function
`open_detector(models, runtime, min_face, all_faces) -> Detector` (see `open_detector` here) and add
its entry to `DETECTORS`. `--detector`, its help and the error messages follow from the entry. This
module imports no NumPy and no OpenCV.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from image_gender_classifier.detection.detector import Detector
    from image_gender_classifier.manifest import Manifest


class DetectorEntry(NamedTuple):
    """A detector that `--detector` offers.

    Attributes:
        name: Value of `--detector`.
        help: Description for `--help`, a clause without a full stop.
        module: Name of the module with `open_detector`.
    """

    name: str
    help: str
    module: str


DETECTORS: dict[str, DetectorEntry] = {
    entry.name: entry
    for entry in (
        DetectorEntry(
            name="network",
            help="face detector network, from coarse to fine",
            module="image_gender_classifier.detection.network",
        ),
        DetectorEntry(
            name="cascade",
            help="LBP cascade, whose faces the network confirms; where none is prominent, the "
            "network searches too",
            module="image_gender_classifier.detection.staged",
        ),
        DetectorEntry(
            name="lbp",
            help="LBP cascade only, for large frontal faces",
            module="image_gender_classifier.detection.cascade",
        ),
        DetectorEntry(
            name="none",
            help="no detection, each picture is a face crop",
            module="image_gender_classifier.detection.whole_picture",
        ),
    )
}


def detector_names() -> tuple[str, ...]:
    """Returns the values of `--detector`."""
    return tuple(DETECTORS)


def describe_detectors() -> str:
    """Returns the names and descriptions of all detectors in one line, for `--help`."""
    return "; ".join(f"{entry.name}: {entry.help}" for entry in DETECTORS.values())


def open_detector(
    name: str,
    models: Manifest,
    runtime: str,
    min_face: float | None = None,
    all_faces: bool = False,
) -> Detector:
    """Opens a detector and returns it.

    Args:
        name: Name of a detector in the registry.
        models: Manifest of the shipped models.
        runtime: Name of the runtime for networks.
        min_face: Side of the smallest face to detect, as a fraction of the picture's shorter side;
            None for the default of each model.
        all_faces: Whether to detect all faces, not only the main one.

    Raises:
        KeyError: The name is not in the registry.
        ModelError: A model file is missing, corrupt or incompatible.
        RuntimeMissing: The runtime cannot be loaded.
        UsageError: The detector does not support `min_face` or `all_faces`.
    """
    module = importlib.import_module(DETECTORS[name].module)
    detector: Detector = module.open_detector(models, runtime, min_face, all_faces)
    return detector

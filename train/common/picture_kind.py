"""Warns if labelled pictures look like whole pictures but are used as face crops, or vice versa."""

from __future__ import annotations

from collections.abc import Sequence

from image_gender_classifier import pipeline
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.geometry import sort_main_face_first
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.train.common.command import print_warning
from image_gender_classifier.train.common.detector_option import NO_DETECTOR, open_detector
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.datasets.unfinished import name_unfinished

TRIED = 50  # pictures
_MAX_FRACTION = 0.1
# Side of the face's frame, as a fraction of the picture's shorter side, from which a picture is a
# crop. It is 0.8 to 1.2 in FairFace, 0.4 to 0.6 in LFW, and 0.3 to 0.7 in Caltech faces.
_CROP_SIDE = 0.75


def warn_of_other_kind(samples: Sequence[Sample], detector: str) -> None:
    """Detects the faces of some pictures, and prints a warning if the detector does not suit them.

    Args:
        samples: The labelled pictures.
        detector: The detector in use; "none" suits face crops, the others whole pictures.

    Raises:
        ModelError: A model of the detector is missing or corrupt, or cannot be run.
        RuntimeMissing: No runtime that the detector can use is installed.
        Unfinished: Memory is short, or a picture cannot be read at present.
    """
    spread = samples[:: max(-(-len(samples) // TRIED), 1)]
    network = open_detector("network")
    sides = [side for sample in spread if (side := _measure_face(sample, network)) is not None]
    crops = [side >= _CROP_SIDE for side in sides]
    others = sum(is_crop != (detector == NO_DETECTOR) for is_crop in crops)
    if others <= _MAX_FRACTION * len(crops):
        return
    if detector == NO_DETECTOR:
        print_warning(
            f"in {others} of {len(crops)} pictures the face is much smaller than the picture; "
            "--detector network crops it"
        )
    else:
        print_warning(
            f"the face fills {others} of {len(crops)} pictures, which look like face crops; if all "
            "pictures are, --detector none uses them as they are"
        )


def _measure_face(sample: Sample, detector: Detector) -> float | None:
    """Returns the side of the main face's frame as a fraction of the picture's shorter side.

    None if the picture cannot be read or has no detected face.
    """
    try:
        with name_unfinished(sample.path):
            picture = decoding.read(sample.path)
            faces = sort_main_face_first(detector.detect(picture), picture.width, picture.height)
            if not faces:
                return None
            frame = pipeline.compute_frame(picture, faces[0], detector)
    except UnreadablePicture:
        return None
    return frame.width * picture.scale / min(picture.width, picture.height)

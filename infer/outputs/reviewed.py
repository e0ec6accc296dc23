"""Applies the correction of a person to a prediction."""

from __future__ import annotations

from collections.abc import Sequence

from image_gender_classifier.outputs.corrections import Correction
from image_gender_classifier.results import Box, Face, Prediction, compute_iou

_SAME_FACE = 0.5  # overlap (IoU): other models, options and picture sizes move boxes a little


def apply_correction(prediction: Prediction, correction: Correction, run: str) -> Prediction:
    """Returns the prediction as a person has corrected it, with the status `reviewed`.

    The deciding face comes first and has the gender of the correction. Without a face in the
    picture, the detected ones are false and omitted.

    Args:
        prediction: The prediction, also one that was reviewed before.
        correction: The correction.
        run: See `Prediction`.
    """
    if correction.gender == "no_face":
        return Prediction(prediction.file, "reviewed", "unknown", run=run)
    faces = _deciding_face_first(prediction.faces, correction.box)
    if faces:
        first = faces[0]._replace(gender=correction.gender, confidence=None, p_female=None)
        faces = (first, *faces[1:])
    return Prediction(prediction.file, "reviewed", correction.gender, faces=faces, run=run)


def _deciding_face_first(
    faces: tuple[Face, ...], box: tuple[int, int, int, int] | None
) -> tuple[Face, ...]:
    """Moves the face of a box to the front; adds it if it was not detected."""
    if box is None:
        return faces
    place = find_face(faces, box)
    if place is None:
        return (Face(Box(*box), "reviewed"), *faces)
    return (faces[place], *faces[:place], *faces[place + 1 :])


def find_face(faces: Sequence[Face], box: tuple[int, int, int, int]) -> int | None:
    """Returns the index of the face that a person has chosen; None if it is not among the faces.

    Args:
        faces: The faces of the picture.
        box: Box of the chosen face when it was chosen: x, y, width and height.
    """
    overlaps = [compute_iou(face.box, Box(*box)) for face in faces]
    best = max(range(len(faces)), key=overlaps.__getitem__, default=None)
    return None if best is None or overlaps[best] < _SAME_FACE else best

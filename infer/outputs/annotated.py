"""Pictures with boxes and verdicts drawn on them, for a person to check.

Colours are those that people who confuse red and green tell apart (Okabe and Ito, "Color Universal
Design", 2008), and every box has its words as well.
"""

from __future__ import annotations

from typing import cast

import cv2

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Face, Prediction

COPY_SIDE, THUMBNAIL_SIDE = 640, 256
"""Longest sides in pixels."""

_FEMALE, _MALE, _UNKNOWN, _NOT_JUDGED = (213, 94, 0), (0, 114, 178), (240, 228, 66), (190, 190, 190)
_COLOURS = {"female": _FEMALE, "male": _MALE, "unknown": _UNKNOWN, None: _NOT_JUDGED}
_DARK, _LIGHT = (0, 0, 0), (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAPITALS = 21  # pixels that the font's capitals are high at scale 1
_LETTERS = 11  # pixels wanted
_QUALITY = 85


def draw(picture: Picture, prediction: Prediction, longest: int) -> bytes:
    """Draws every face's box, what was said of it and which stage found it.

    Args:
        picture: The decoded picture.
        prediction: What was said of it.
        longest: Longest side of the result in pixels; a smaller picture is enlarged.

    Returns:
        A JPEG file.
    """
    height, width = picture.pixels.shape[:2]
    scale = longest / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = cast(Pixels, cv2.resize(picture.pixels, size, interpolation=interpolation))
    per_pixel = longest / max(picture.width, picture.height)
    for face in reversed(prediction.faces):  # the one that decides last, above the others
        _draw_face(drawn, face, per_pixel)
    if not prediction.faces:
        _write(drawn, prediction.status.replace("_", " "), (0, 0), _NOT_JUDGED)
    _, data = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def _draw_face(drawn: Pixels, face: Face, per_pixel: float) -> None:
    box = face.box
    # Where a frame reaches beyond the picture, its edge is drawn along the picture's.
    height, width = drawn.shape[:2]
    left, top = max(round(box.x * per_pixel), 0), max(round(box.y * per_pixel), 0)
    right, bottom = (
        min(round((box.x + box.width) * per_pixel), width - 1),
        min(round((box.y + box.height) * per_pixel), height - 1),
    )
    colour = _COLOURS[face.gender]
    for thickness, ink in ((4, _DARK), (2, colour)):  # a dark edge shows on any background
        cv2.rectangle(drawn, (left, top), (right, bottom), ink, thickness)
    words = [face.detector]
    if face.gender is not None and face.confidence is not None:
        words = [face.gender, f"{face.confidence:.2f}", *words]
    _write(drawn, " ".join(words), (left, bottom), colour)


def _write(drawn: Pixels, text: str, corner: tuple[int, int], ground: tuple[int, int, int]) -> None:
    """Writes a line on a ground, its top left corner at a place but within the picture."""
    scale = _LETTERS / _CAPITALS
    (wide, high), below = cv2.getTextSize(text, _FONT, scale, 1)
    height, width = drawn.shape[:2]
    extent = (wide + 6, high + below + 4)
    x, y = (
        max(min(place, room - own), 0)
        for place, room, own in zip(corner, (width, height), extent, strict=True)
    )
    cv2.rectangle(drawn, (x, y), (x + extent[0], y + extent[1]), ground, cv2.FILLED)
    ink = _LIGHT if sum(ground) < 382 else _DARK
    cv2.putText(drawn, text, (x + 3, y + high + 2), _FONT, scale, ink, 1, cv2.LINE_AA)

"""Draws bounding boxes and predictions on a copy of a picture.

Colour-blind people can distinguish the colours (Okabe and Ito, "Color Universal Design", 2008), and
every box has a label.
"""

from __future__ import annotations

from typing import cast

import cv2

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Face, Prediction

COPY_SIDE, THUMBNAIL_SIDE = 640, 256
"""Longest side of an annotated copy and of a contact sheet thumbnail, in pixels."""

_FEMALE, _MALE, _UNKNOWN, _NOT_CLASSIFIED = (
    (213, 94, 0),
    (0, 114, 178),
    (240, 228, 66),
    (190, 190, 190),
)
COLOURS = {"female": _FEMALE, "male": _MALE, "unknown": _UNKNOWN, None: _NOT_CLASSIFIED}
"""RGB colour of the box and label of a face by gender; None: the face was not classified."""
_DARK, _LIGHT = (0, 0, 0), (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT = 21  # pixels of a capital letter at scale 1
_TEXT_HEIGHT = 11  # pixels of a capital letter in a label
_QUALITY = 85  # of the JPEG file, 0 to 100


def draw_prediction(picture: Picture, prediction: Prediction, longest: int) -> bytes:
    """Draws bounding box, gender, confidence and detector of each face on a copy of a picture.

    The main face is drawn last, on top. A picture without faces is labelled with its status.

    Args:
        picture: The decoded picture, which is not changed.
        prediction: Its prediction.
        longest: Longest side of the copy in pixels; a smaller picture is enlarged.

    Returns:
        The copy as a JPEG file, with the aspect ratio of the picture.
    """
    height, width = picture.pixels.shape[:2]
    scale = longest / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = cast(Pixels, cv2.resize(picture.pixels, size, interpolation=interpolation))
    per_pixel = longest / max(picture.width, picture.height)
    for face in reversed(prediction.faces):
        _draw_face(drawn, face, per_pixel)
    if not prediction.faces:
        _draw_label(drawn, prediction.status.replace("_", " "), (0, 0), _NOT_CLASSIFIED)
    _, data = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def _draw_face(drawn: Pixels, face: Face, per_pixel: float) -> None:
    """Draws the bounding box and the label of a face, clipped to the picture.

    Args:
        drawn: The copy, changed in place (uint8 RGB, H x W x 3).
        face: The face, in pixels of the original picture.
        per_pixel: Pixels of the copy per pixel of the original picture.
    """
    box = face.box
    height, width = drawn.shape[:2]
    left, top = max(round(box.x * per_pixel), 0), max(round(box.y * per_pixel), 0)
    right, bottom = (
        min(round((box.x + box.width) * per_pixel), width - 1),
        min(round((box.y + box.height) * per_pixel), height - 1),
    )
    colour = COLOURS[face.gender]
    for thickness, ink in ((4, _DARK), (2, colour)):  # dark outline, visible on any background
        cv2.rectangle(drawn, (left, top), (right, bottom), ink, thickness)
    parts = [face.detector]
    if face.gender is not None and face.confidence is not None:
        parts = [face.gender, f"{face.confidence:.2f}", *parts]
    _draw_label(drawn, " ".join(parts), (left, bottom), colour)


def _draw_label(
    drawn: Pixels, text: str, corner: tuple[int, int], background: tuple[int, int, int]
) -> None:
    """Draws a label on a filled rectangle, moved so that it lies inside the picture if it fits.

    Args:
        drawn: The picture, changed in place (uint8 RGB, H x W x 3).
        text: The label (ASCII).
        corner: Top left corner of the rectangle: x and y in pixels.
        background: RGB colour of the rectangle.
    """
    scale = _TEXT_HEIGHT / _FONT_HEIGHT
    (wide, high), below = cv2.getTextSize(text, _FONT, scale, 1)
    height, width = drawn.shape[:2]
    extent = (wide + 6, high + below + 4)
    x, y = (
        max(min(place, room - own), 0)
        for place, room, own in zip(corner, (width, height), extent, strict=True)
    )
    cv2.rectangle(drawn, (x, y), (x + extent[0], y + extent[1]), background, cv2.FILLED)
    ink = _LIGHT if sum(background) < 382 else _DARK  # 382: half the sum of white
    cv2.putText(drawn, text, (x + 3, y + high + 2), _FONT, scale, ink, 1, cv2.LINE_AA)

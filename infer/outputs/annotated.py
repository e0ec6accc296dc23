"""Draws bounding boxes and predictions on a copy of a picture.

Colour-blind people can distinguish the colours (Okabe and Ito, "Color Universal Design", 2008), and
every classified face has a label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import cv2

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.outputs.label_layout import Label, Rectangle, place_labels
from image_gender_classifier.results import Face, Gender, Prediction

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
_TEXT_HEIGHT = 11 / 640  # of the longest side
_SMALLEST_TEXT = 11  # pixels
_PADDING = 3  # pixels around a text
_QUALITY = 85  # of the JPEG file, 0 to 100

_Colour = tuple[int, int, int]


class _Text(NamedTuple):
    """A text to draw on a coloured background.

    Attributes:
        text: The text.
        background: RGB colour of the background.
        label: Its size and box.
    """

    text: str
    background: _Colour
    label: Label


def draw_prediction(picture: Picture, prediction: Prediction, longest: int) -> bytes:
    """Draws bounding box, gender and confidence of each face on a copy of a picture.

    Labels cover neither faces nor one another. Those without room in the picture are in a strip
    below it.

    Args:
        picture: The decoded picture, which is not changed.
        prediction: Its prediction.
        longest: Longest side of the copy in pixels, without the strip; a smaller picture is
            enlarged.

    Returns:
        The copy as a JPEG file.
    """
    height, width = picture.pixels.shape[:2]
    scale = longest / max(height, width)
    width, height = max(round(width * scale), 1), max(round(height * scale), 1)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = cast(Pixels, cv2.resize(picture.pixels, (width, height), interpolation=interpolation))
    per_pixel = longest / max(picture.width, picture.height)
    line = max(round(longest / 320), 2)
    boxes = [_locate(face, per_pixel, width, height) for face in prediction.faces]
    for face, box in zip(reversed(prediction.faces), reversed(boxes), strict=True):
        _draw_box(drawn, box, COLOURS[face.gender], line)  # the main face last, on top
    outlines = [
        Rectangle(b.left - line, b.top - line, b.right + line, b.bottom + line) for b in boxes
    ]
    font = max(round(longest * _TEXT_HEIGHT), _SMALLEST_TEXT) / _FONT_HEIGHT
    texts = list(_make_texts(prediction, outlines, font))
    places = place_labels([text.label for text in texts], outlines, width, height)
    drawn = _extend(drawn, places)
    for text, place in zip(texts, places, strict=True):
        _draw_label(drawn, text, place, font)
    _, data = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def _locate(face: Face, per_pixel: float, width: int, height: int) -> Rectangle:
    """Returns the bounding box of a face in pixels of the copy, clipped to the copy.

    Unlike in other rectangles, right and bottom are inclusive, as `cv2.rectangle` expects.
    """
    box = face.box
    return Rectangle(
        max(round(box.x * per_pixel), 0),
        max(round(box.y * per_pixel), 0),
        min(round((box.x + box.width) * per_pixel), width - 1),
        min(round((box.y + box.height) * per_pixel), height - 1),
    )


def _draw_box(drawn: Pixels, box: Rectangle, colour: _Colour, line: int) -> None:
    for thickness, ink in ((2 * line, _DARK), (line, colour)):  # dark outline, always visible
        cv2.rectangle(drawn, box[:2], box[2:], ink, thickness)


def _make_texts(prediction: Prediction, boxes: Sequence[Rectangle], font: float) -> Iterator[_Text]:
    """Yields the label of each face that was classified, or of a picture without faces."""
    if not prediction.faces:
        yield _make_text(prediction.status.replace("_", " "), None, Rectangle(0, 0, 0, 0), font)
    for face, box in zip(prediction.faces, boxes, strict=True):
        if face.gender is not None:
            confidence = "" if face.confidence is None else f" {face.confidence:.2f}"
            yield _make_text(face.gender + confidence, face.gender, box, font)


def _make_text(text: str, gender: Gender | None, box: Rectangle, font: float) -> _Text:
    (wide, high), below = cv2.getTextSize(text, _FONT, font, _stroke(font))
    label = Label(wide + 2 * _PADDING, high + below + 2 * _PADDING, box)
    return _Text(text, COLOURS[gender], label)


def _extend(drawn: Pixels, places: Sequence[Rectangle]) -> Pixels:
    """Returns the picture with room for the labels below it."""
    height, width = drawn.shape[:2]
    down = max((place.bottom for place in places), default=0) - height
    across = max((place.right for place in places), default=0) - width
    if down <= 0 and across <= 0:
        return drawn
    return cast(
        Pixels,
        cv2.copyMakeBorder(
            drawn, 0, max(down, 0), 0, max(across, 0), cv2.BORDER_CONSTANT, value=_DARK
        ),
    )


def _draw_label(drawn: Pixels, text: _Text, place: Rectangle, font: float) -> None:
    last = (place.right - 1, place.bottom - 1)
    cv2.rectangle(drawn, place[:2], last, text.background, cv2.FILLED)
    (_, high), _ = cv2.getTextSize(text.text, _FONT, font, _stroke(font))
    start = (place.left + _PADDING, place.top + _PADDING + high)
    ink = _LIGHT if sum(text.background) < 382 else _DARK  # 382: half the sum of white
    cv2.putText(drawn, text.text, start, _FONT, font, ink, _stroke(font), cv2.LINE_AA)


def _stroke(font: float) -> int:
    return max(round(font * 2), 1)

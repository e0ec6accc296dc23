"""Annotated copies show each face's bounding box in its colour, with a label."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.outputs import annotated
from image_gender_classifier.outputs.settings import COPY_SIDE
from image_gender_classifier.results import Box, Face, Prediction

Pixels = npt.NDArray[np.uint8]


def blank(width: int, height: int, scale: int = 1) -> Picture:
    """Returns a blue picture, decoded at 1/`scale` of its original size."""
    pixels = np.full((height, width, 3), (20, 30, 200), np.uint8)
    return Picture(pixels, width * scale, height * scale)


def draw_and_decode(picture: Picture, prediction: Prediction, longest: int = 400) -> Pixels:
    data = np.frombuffer(annotated.draw_prediction(picture, prediction, longest), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[..., ::-1], np.uint8)


def mask_of_colour(pixels: Pixels, colour: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Returns a mask of the pixels that have a colour, up to JPEG artefacts."""
    differences: npt.NDArray[np.int_] = np.abs(pixels.astype(int) - colour).max(axis=-1)
    return differences < 60


@pytest.mark.parametrize(("gender", "colour"), list(annotated.COLOURS.items()))
def test_a_face_has_a_bounding_box_of_its_colour(
    gender: None, colour: tuple[int, int, int]
) -> None:
    face = Face(Box(200, 100, 400, 400), "lbp", gender, None if gender is None else 0.9)
    found = mask_of_colour(
        draw_and_decode(
            blank(400, 400, scale=2), Prediction("a", "classified", "male", 0.9, (face,))
        ),
        colour,
    )
    rows, columns = np.nonzero(found[50:245])
    assert abs(columns.min() - 100) <= 3
    assert abs(columns.max() - 300) <= 3
    assert rows.min() <= 3
    assert not found[70:230, 120:280].any(), "the box is not filled"


def test_the_box_is_at_the_face_in_a_narrow_picture() -> None:
    """Decoded at 1/8, 97 pixels become 13 columns, the last of which covers only one pixel."""
    picture = Picture(np.full((375, 13, 3), (20, 30, 200), np.uint8), 97, 3000)
    face = Face(Box(0, 2400, 90, 90), "lbp", "female", 0.9)
    found = mask_of_colour(
        draw_and_decode(picture, Prediction("a", "classified", "female", 0.9, (face,)), 1500),
        annotated.COLOURS["female"],
    )
    rows, _ = np.nonzero(found)
    assert abs(rows.min() - 1200) <= 3


def test_a_box_beyond_the_picture_is_clipped_to_its_edges() -> None:
    face = Face(Box(-60, -60, 520, 520), "cnn", "female", 0.9)
    prediction = Prediction("a", "classified", "female", 0.9, (face,))
    found = mask_of_colour(
        draw_and_decode(blank(400, 400), prediction), annotated.COLOURS["female"]
    )
    for edge in (found[:4], found[:, :4], found[:, -4:]):
        assert edge[edge.shape[0] // 4 : -1].any()
    assert not found[20:340, 20:380].any()


def test_the_main_face_is_drawn_on_top() -> None:
    box = Box(100, 100, 200, 200)
    faces = (Face(box, "lbp", "female", 0.9), Face(box, "lbp"))
    pixels = draw_and_decode(blank(400, 400), Prediction("a", "classified", "female", 0.9, faces))
    assert mask_of_colour(pixels[100:300, 97:104], annotated.COLOURS["female"]).sum() > 200
    assert mask_of_colour(pixels[110:290, 97:104], annotated.COLOURS[None]).sum() == 0


def test_no_label_covers_a_face_or_another_label() -> None:
    """As in a close-up of two people; labels without room are below the picture."""
    faces = (
        Face(Box(0, 0, 200, 300), "cnn", "female", 0.98),
        Face(Box(205, 0, 195, 300), "cnn", "male", 0.9),
    )
    pixels = draw_and_decode(blank(400, 300), Prediction("a", "classified", "female", 0.98, faces))
    assert pixels.shape[0] > 300
    blue = mask_of_colour(pixels[:300], (20, 30, 200))
    assert blue[10:290, 10:190].all() and blue[10:290, 215:390].all()
    for gender, columns in (("female", slice(0, 200)), ("male", slice(200, 400))):
        assert mask_of_colour(pixels[300:], annotated.COLOURS[gender])[:, columns].sum() > 500


def test_a_label_on_a_large_copy_is_larger() -> None:
    face = Face(Box(100, 100, 50, 50), "cnn", "female", 0.9)
    prediction = Prediction("a", "classified", "female", 0.9, (face,))
    sizes = [
        mask_of_colour(draw_and_decode(blank(400, 400), prediction, longest), (213, 94, 0)).sum()
        for longest in (640, 1280)
    ]
    assert sizes[1] > 2.5 * sizes[0]


def test_a_picture_without_a_face_has_a_label() -> None:
    picture = blank(400, 300)
    assert not np.array_equal(
        draw_and_decode(picture, Prediction("a", "no_face", "unknown")), picture.pixels
    )


@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    longest=st.sampled_from([COPY_SIDE, 64]),
    box=st.builds(
        Box, st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0, 1e4), st.floats(0, 1e4)
    ),
)
def test_any_picture_size_and_any_box_can_be_drawn(
    width: int, height: int, longest: int, box: Box
) -> None:
    picture = blank(width, height)
    before = picture.pixels.copy()
    prediction = Prediction("a", "uncertain", "unknown", 0.6, (Face(box, "lbp", "unknown", 0.6),))
    result = draw_and_decode(picture, prediction, longest)
    assert max(result.shape[:2]) >= longest  # labels may be below the picture
    assert np.array_equal(picture.pixels, before)

"""What a person sees of a result: a box in its colour where the face is, and words."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.outputs import annotated
from image_gender_classifier.results import Box, Face, Prediction

Pixels = npt.NDArray[np.uint8]


def blank(width: int, height: int, scale: int = 1) -> Picture:
    """A plain blue picture whose original is so many times larger."""
    pixels = np.full((height, width, 3), (20, 30, 200), np.uint8)
    return Picture(pixels, width * scale, height * scale)


def drawn(picture: Picture, prediction: Prediction, longest: int = 400) -> Pixels:
    data = np.frombuffer(annotated.draw_prediction(picture, prediction, longest), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[..., ::-1], np.uint8)


def near(pixels: Pixels, colour: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Where pixels are of a colour, but for what JPEG does to them."""
    differences: npt.NDArray[np.int_] = np.abs(pixels.astype(int) - colour).max(axis=-1)
    return differences < 60


@pytest.mark.parametrize(("gender", "colour"), list(annotated.COLOURS.items()))
def test_a_face_has_a_box_of_its_colour_where_it_is(
    gender: None, colour: tuple[int, int, int]
) -> None:
    face = Face(Box(200, 100, 400, 400), "lbp", gender, None if gender is None else 0.9)
    found = near(
        drawn(blank(400, 400, scale=2), Prediction("a", "classified", "male", 0.9, (face,))), colour
    )
    rows, columns = np.nonzero(found[50:245])
    assert abs(columns.min() - 100) <= 3
    assert abs(columns.max() - 300) <= 3
    assert rows.min() <= 3
    assert not found[70:230, 120:280].any(), "the face itself stays free"


def test_a_box_in_a_narrow_picture_is_where_the_face_is() -> None:
    """The last of its 13 columns shows one pixel of 8."""
    picture = Picture(np.full((375, 13, 3), (20, 30, 200), np.uint8), 97, 3000)
    face = Face(Box(0, 2400, 90, 90), "lbp", "female", 0.9)
    found = near(
        drawn(picture, Prediction("a", "classified", "female", 0.9, (face,)), 1500),
        annotated.COLOURS["female"],
    )
    rows, _ = np.nonzero(found)
    assert abs(rows.min() - 1200) <= 3


def test_a_frame_beyond_the_picture_is_drawn_along_its_edges() -> None:
    face = Face(Box(-60, -60, 520, 520), "cnn", "female", 0.9)
    prediction = Prediction("a", "classified", "female", 0.9, (face,))
    found = near(drawn(blank(400, 400), prediction), annotated.COLOURS["female"])
    for edge in (found[:4], found[:, :4], found[:, -4:]):
        assert edge[edge.shape[0] // 4 : -1].any()
    assert not found[20:340, 20:380].any()


def test_the_deciding_face_lies_above_the_others() -> None:
    box = Box(100, 100, 200, 200)
    faces = (Face(box, "lbp", "female", 0.9), Face(box, "lbp"))
    pixels = drawn(blank(400, 400), Prediction("a", "classified", "female", 0.9, faces))
    assert near(pixels[100:300, 97:104], annotated.COLOURS["female"]).sum() > 200
    assert near(pixels[110:290, 97:104], annotated.COLOURS[None]).sum() == 0


def test_words_are_written_where_there_is_no_face() -> None:
    picture = blank(400, 300)
    assert not np.array_equal(drawn(picture, Prediction("a", "no_face", "unknown")), picture.pixels)


@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    longest=st.sampled_from([annotated.COPY_SIDE, annotated.THUMBNAIL_SIDE]),
    box=st.builds(
        Box, st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0, 1e4), st.floats(0, 1e4)
    ),
)
def test_any_shape_and_any_box_can_be_drawn(
    width: int, height: int, longest: int, box: Box
) -> None:
    picture = blank(width, height)
    before = picture.pixels.copy()
    prediction = Prediction("a", "uncertain", "unknown", 0.6, (Face(box, "lbp", "unknown", 0.6),))
    result = drawn(picture, prediction, longest)
    assert max(result.shape[:2]) == longest
    assert np.array_equal(picture.pixels, before)

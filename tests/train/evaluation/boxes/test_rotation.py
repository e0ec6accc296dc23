"""A turn keeps the face in view, and what is found there comes back to its place."""

from __future__ import annotations

from math import hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.imaging.decoding import from_array
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes import rotation
from image_gender_classifier.train.evaluation.boxes.rotation import Rotation
from image_gender_classifier.train.evaluation.boxes.trials import Detection, box_around, box_centre

SIZES = st.integers(1, 500)
PLACES = st.floats(-100, 600)
DEGREES = st.floats(-180, 180)
TURNS = st.builds(Rotation, DEGREES, st.tuples(SIZES, SIZES), st.tuples(SIZES, SIZES))


@given(st.tuples(PLACES, PLACES), TURNS)
def test_rotating_and_unrotating_are_inverse(point: tuple[float, float], turn: Rotation) -> None:
    assert rotation.unrotate_point(rotation.rotate_point(point, turn), turn) == pytest.approx(
        point, abs=1e-6
    )


@given(st.tuples(PLACES, PLACES), TURNS)
def test_distances_from_the_centre_are_kept(point: tuple[float, float], turn: Rotation) -> None:
    x, y = rotation.rotate_point(point, turn)
    before = hypot(point[0] - turn.upright[0] / 2, point[1] - turn.upright[1] / 2)
    assert hypot(x - turn.canvas[0] / 2, y - turn.canvas[1] / 2) == pytest.approx(before)


def test_rotation_is_counterclockwise() -> None:
    turn = Rotation(90, (100, 100), (100, 100))
    assert rotation.rotate_point((90, 50), turn) == pytest.approx((50, 10))


@given(SIZES, SIZES, PLACES, PLACES, st.floats(1, 300), DEGREES)
def test_the_canvas_contains_the_face(
    width: int, height: int, x: float, y: float, side: float, degrees: float
) -> None:
    face = Box(x, y, side, side)
    turn = rotation.plan_rotation(width, height, face, degrees)
    assert turn.canvas[0] >= width
    assert turn.canvas[1] >= height
    for corner_x in (face.x, face.x + side):
        for corner_y in (face.y, face.y + side):
            seen = (min(max(corner_x, 0), width), min(max(corner_y, 0), height))
            turned_x, turned_y = rotation.rotate_point(seen, turn)
            assert -1e-3 <= turned_x <= turn.canvas[0] + 1e-3
            assert -1e-3 <= turned_y <= turn.canvas[1] + 1e-3


def test_a_face_in_the_middle_keeps_the_canvas() -> None:
    turn = rotation.plan_rotation(250, 200, Box(90, 70, 60, 60), 30)
    assert turn.canvas == (250, 200)


def test_only_one_side_of_the_canvas_grows() -> None:
    turn = rotation.plan_rotation(300, 100, Box(250, 40, 40, 20), 30)
    assert turn.canvas[0] == 300
    assert turn.canvas[1] > 100


@pytest.mark.parametrize("degrees", [30, -30])
@pytest.mark.parametrize("face", [Box(60, 40, 20, 20), Box(150, 2, 20, 20)])
def test_pixels_and_points_rotate_alike(face: Box, degrees: float) -> None:
    pixels = np.zeros((120, 180, 3), np.uint8)
    pixels[int(face.y) : int(face.y) + 20, int(face.x) : int(face.x) + 20] = 255
    picture = from_array(pixels)
    turn = rotation.plan_rotation(picture.width, picture.height, face, degrees)
    turned = rotation.rotate_picture(picture, turn)
    assert turned.pixels.shape[1::-1] == (turned.width, turned.height) == turn.canvas
    rows, columns = np.nonzero(turned.pixels[..., 0] > 127)
    middle = columns.mean() + 0.5, rows.mean() + 0.5
    assert middle == pytest.approx(rotation.rotate_point(box_centre(face), turn), abs=0.3)
    found = Detection(box_around(middle, 20, 20), box_around(middle, 30, 30), "first")
    again = rotation.unrotate_detection(found, turn)
    assert box_centre(again.box) == pytest.approx(box_centre(face), abs=0.3)
    assert box_centre(again.frame) == pytest.approx(box_centre(face), abs=0.3)
    assert (again.box.width, again.frame.height, again.stage) == (20, 30, "first")


def test_a_rotation_by_0_degrees_changes_nothing() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (50, 70, 3), np.uint8)
    picture = from_array(pixels)
    turn = rotation.plan_rotation(70, 50, Box(0, 0, 70, 50), 0)
    assert np.array_equal(rotation.rotate_picture(picture, turn).pixels, pixels)


def test_edge_pixels_are_repeated() -> None:
    picture = from_array(np.full((40, 60, 3), 77, np.uint8))
    turn = rotation.plan_rotation(60, 40, Box(0, 0, 60, 40), 30)
    assert (rotation.rotate_picture(picture, turn).pixels == 77).all()


def test_a_picture_read_smaller_keeps_its_scale() -> None:
    picture = Picture(np.zeros((100, 200, 3), np.uint8), 800, 400)
    turned = rotation.rotate_picture(picture, Rotation(30, (800, 400), (800, 600)))
    assert (turned.width, turned.height) == (800, 600)
    assert turned.pixels.shape == (150, 200, 3)

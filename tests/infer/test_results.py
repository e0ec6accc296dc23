"""The records of results: the overlap of boxes, the id of a prediction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.results import Box, Prediction, compute_iou

boxes = st.builds(Box, *[st.integers(0, 12)] * 2, *[st.integers(1, 12)] * 2)


@given(boxes, boxes)
def test_the_iou_is_that_of_the_pixels(one: Box, other: Box) -> None:
    masks = np.zeros((2, 24, 24), bool)
    for mask, box in zip(masks, (one, other), strict=True):
        x, y, width, height = map(int, box)
        mask[y : y + height, x : x + width] = True
    both, either = np.logical_and(*masks).sum(), np.logical_or(*masks).sum()
    assert compute_iou(one, other) == pytest.approx(both / either)
    assert compute_iou(other, one) == compute_iou(one, other)


@given(boxes, boxes, st.floats(0.1, 9), st.floats(-90, 90), st.floats(-90, 90))
def test_the_iou_does_not_depend_on_the_unit_or_the_place(
    one: Box, other: Box, unit: float, right: float, down: float
) -> None:
    moved = [
        Box(unit * box.x + right, unit * box.y + down, unit * box.width, unit * box.height)
        for box in (one, other)
    ]
    assert compute_iou(*moved) == pytest.approx(compute_iou(one, other), abs=1e-9)


@given(boxes)
def test_a_box_without_area_overlaps_nothing(box: Box) -> None:
    assert compute_iou(box, box._replace(width=0)) == 0
    assert compute_iou(box._replace(width=0), box._replace(width=0)) == 0


@pytest.mark.parametrize(
    ("file", "expected"),
    [("a.jpg", "a"), ("sub/a.b.jpg", "a.b"), ("a", "a"), (".jpg", ".jpg"), ("x.y/z", "z")],
)
def test_the_id_is_the_file_name_without_its_extension(file: str, expected: str) -> None:
    assert Prediction(file, "no_face", "unknown").id == expected

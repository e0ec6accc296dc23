"""Each rule accepts what its description says, including the limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes import rules
from image_gender_classifier.train.evaluation.boxes.trials import Detection, box_around

NOWHERE = Box(-900.0, -900.0, 1.0, 1.0)
SHARES = st.floats(0.01, 0.99)


def boxed(x: float, y: float, width: float, height: float | None = None) -> Detection:
    return Detection(box_around((x, y), width, height or width), NOWHERE, "first")


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (boxed(125, 125, 110), True),
        (boxed(143, 149, 110), True),  # 30 away
        (boxed(144, 149, 110), False),
        (boxed(125, 125, 70), True),
        (boxed(125, 125, 69), False),
        (boxed(125, 125, 190), True),
        (boxed(125, 125, 191), False),
        (boxed(125, 125, 40, 160), True),  # 80 a side as framing takes it
    ],
)
def test_accept_near_checks_distance_and_side(found: Detection, right: bool) -> None:
    assert rules.accept_near((125, 125), 30, (70, 190))(found) is right


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (boxed(10, 20, 500), True),
        (boxed(40, 60, 1), True),
        (boxed(9.9, 30, 5), False),
        (boxed(40.1, 30, 5), False),
        (boxed(30, 19.9, 5), False),
        (boxed(30, 60.1, 5), False),
    ],
)
def test_accept_inside_checks_the_centre(found: Detection, right: bool) -> None:
    assert rules.accept_inside(Box(10, 20, 30, 40))(found) is right


@given(SHARES, SHARES, st.floats(0.05, 1.2))
def test_accept_in_crop_checks_centre_and_side(across: float, down: float, share: float) -> None:
    found = boxed(across * 100, down * 200, share * 100)
    middle = (
        0.25 <= found.box.x / 100 + share / 2 <= 0.75
        and 0.25 <= (found.box.y / 200 + share / 4) <= 0.75
    )
    assert rules.accept_in_crop(100, 200)(found) is (middle and found.box.width >= 60)


@pytest.mark.parametrize(
    ("frame", "right"),
    [
        (box_around((50, 50), 40, 40), True),
        (box_around((56, 58), 40, 40), True),  # 10 away
        (box_around((56, 58.1), 40, 40), False),
        (box_around((50, 50), 400, 400), True),
    ],
)
def test_accept_frame_checks_the_frame(frame: Box, right: bool) -> None:
    rule = rules.accept_frame(box_around((50, 50), 40, 40))
    assert rule(Detection(NOWHERE, frame, "first")) is right

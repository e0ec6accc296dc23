"""Labels are near their boxes, and cover neither boxes nor labels."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.outputs.label_layout import Label, Rectangle, place_labels

WIDTH, HEIGHT = 100, 80


@st.composite
def rectangles(draw: st.DrawFn) -> Rectangle:
    left, top = draw(st.integers(0, WIDTH)), draw(st.integers(0, HEIGHT))
    return Rectangle(left, top, draw(st.integers(left, WIDTH)), draw(st.integers(top, HEIGHT)))


def overlap(one: Rectangle, other: Rectangle) -> bool:
    """Returns whether two rectangles have a pixel in common."""
    across = min(one.right, other.right) > max(one.left, other.left)
    return across and min(one.bottom, other.bottom) > max(one.top, other.top)


@given(boxes=st.lists(rectangles(), max_size=8), wide=st.integers(1, 130), high=st.integers(1, 90))
def test_labels_cover_neither_boxes_nor_labels(
    boxes: list[Rectangle], wide: int, high: int
) -> None:
    places = place_labels([Label(wide, high, box) for box in boxes], boxes, WIDTH, HEIGHT)
    assert len(places) == len(boxes)
    for number, place in enumerate(places):
        assert (place.right - place.left, place.bottom - place.top) == (wide, high)
        assert min(place) >= 0
        assert not any(overlap(place, other) for other in (*boxes, *places[:number]))
        below = place.top >= HEIGHT
        assert below or (place.right <= WIDTH and place.bottom <= HEIGHT)
        if not below:  # it touches its box
            box = boxes[number]
            assert place.left <= box.right and place.right >= box.left
            assert place.top <= box.bottom and place.bottom >= box.top


def test_a_label_is_below_its_box_if_there_is_room() -> None:
    box = Rectangle(20, 10, 60, 50)
    assert place_labels([Label(30, 10, box)], [box], WIDTH, HEIGHT) == [Rectangle(20, 50, 50, 60)]


def test_a_label_is_below_the_picture_if_the_box_fills_it() -> None:
    box = Rectangle(0, 0, WIDTH, HEIGHT)
    assert place_labels([Label(30, 10, box)] * 2, [box], WIDTH, HEIGHT) == [
        Rectangle(0, HEIGHT, 30, HEIGHT + 10),
        Rectangle(0, HEIGHT + 10, 30, HEIGHT + 20),
    ]


def test_hundreds_of_labels_take_little_time() -> None:
    boxes = [Rectangle(x, y, x + 20, y + 20) for y in range(0, 700, 25) for x in range(0, 1000, 25)]
    start = time.process_time()
    places = place_labels([Label(80, 20, box) for box in boxes], boxes, 1000, 700)
    assert len(set(places)) == len(boxes) == 1120
    assert time.process_time() - start < 10

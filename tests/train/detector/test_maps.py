"""What is drawn for a scene is read back as its faces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.detection.heatmap import STRIDE, decode_heatmap
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector import maps

SIZE = 128
FRAMES = st.builds(
    lambda x, y, side: Box(x - side / 2, y - side / 2, side, side),
    st.floats(0, SIZE - 0.01),
    st.floats(0, SIZE - 0.01),
    st.floats(12, 160),
)


@given(FRAMES)
def test_a_face_is_decoded_from_its_maps(frame: Box) -> None:
    heat, reported = maps.make_target_maps([frame], SIZE)
    likely = heat[..., 0].clip(1e-6, 1 - 1e-6)
    (found,) = decode_heatmap(np.log(likely / (1 - likely)), reported[..., :3], 0.9, len(heat))
    assert found.frame.width == pytest.approx(frame.width, rel=1e-5)
    assert found.frame.x == pytest.approx(frame.x, abs=1e-3)
    assert found.frame.y == pytest.approx(frame.y, abs=1e-3)


@given(st.lists(FRAMES, max_size=4))
def test_every_box_in_the_map_is_that_of_a_face(frames: list[Box]) -> None:
    heat, reported = maps.make_target_maps(frames, SIZE)
    cells = SIZE // STRIDE
    assert heat.shape == (cells, cells, 1)
    assert reported.shape == (cells, cells, 4)
    assert (heat >= 0).all()
    assert (heat <= 1).all()
    centres = {
        (int((box.y + box.width / 2) / STRIDE), int((box.x + box.width / 2) / STRIDE))
        for box in frames
    }
    assert {(int(row), int(column)) for row, column in np.argwhere(heat[..., 0] == 1)} == centres
    telling = reported[..., 3] > 0
    assert not reported[~telling].any()
    assert (telling == (reported[..., 3] >= 0.3)).all()
    for row, column in np.argwhere(telling):
        right, down, extent, _ = reported[row, column]
        x, y = (column + 0.5 + right) * STRIDE, (row + 0.5 + down) * STRIDE
        side = SIZE * np.exp(extent)
        reported_of = [
            box
            for box in frames
            if abs(box.width - side) < 1e-2
            and abs(box.x + side / 2 - x) < 1e-2
            and abs(box.y + side / 2 - y) < 1e-2
        ]
        assert reported_of


def test_a_larger_face_has_a_wider_peak() -> None:
    small, large = (
        maps.make_target_maps([Box(64 - s / 2, 64 - s / 2, s, s)], SIZE)[0] for s in (20, 120)
    )
    assert (small > 0.1).sum() < (large > 0.1).sum()

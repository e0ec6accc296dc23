"""Heatmap decoding and non-maximum suppression."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from image_gender_classifier.detection.heatmap import (
    STRIDE,
    Detection,
    decode_heatmap,
    non_max_suppression,
)
from image_gender_classifier.results import Box

SIZE = 128
CELLS = SIZE // STRIDE


def test_each_peak_is_a_detection() -> None:
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    heat[4, 8], heat[4, 9], heat[12, 3], heat[1, 1] = 3, 2, 1, -1
    boxes[4, 8] = 0.5, -0.25, np.log(0.25)
    boxes[4, 9] = -0.5, -0.25, np.log(0.25)
    boxes[12, 3] = 0, 0, np.log(0.125)
    found = list(decode_heatmap(heat, boxes, 0, CELLS))
    assert [face.logit for face in found] == [3, 1]
    boxes_found = [face.frame for face in found]
    assert boxes_found == [pytest.approx((56, 18, 32, 32)), pytest.approx((20, 92, 16, 16))]


def test_of_two_overlapping_detections_the_better_one_is_kept() -> None:
    one, inside = Detection(Box(0, 0, 60, 60), 0.9), Detection(Box(5, 5, 55, 55), 0.8)
    beside = Detection(Box(50, 0, 60, 60), 0.7)
    assert non_max_suppression([inside, beside, one]) == [one, beside]


def test_a_detection_inside_a_better_one_is_dropped() -> None:
    face, mouth = Detection(Box(0, 0, 60, 60), 0.9), Detection(Box(20, 40, 15, 15), 0.8)
    shoulder = Detection(Box(50, 50, 15, 15), 0.7)
    assert non_max_suppression([shoulder, mouth, face]) == [face, shoulder]
    assert non_max_suppression([mouth, shoulder], [face.frame]) == [shoulder]


def test_a_large_face_is_kept_despite_a_better_part_of_it() -> None:
    part, face = Detection(Box(20, 40, 15, 15), 0.9), Detection(Box(0, 0, 60, 60), 0.8)
    assert non_max_suppression([part, face]) == [part, face]


def test_a_known_face_is_not_detected_again() -> None:
    found = [Detection(Box(0, 0, 60, 60), 0.9), Detection(Box(100, 0, 60, 60), 0.8)]
    assert non_max_suppression(found, [Box(10, 5, 60, 60)]) == found[1:]


def test_cells_around_a_peak_vote_on_the_box() -> None:
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    boxes[..., 2] = np.log(0.5)
    heat[8, 8] = heat[8, 9] = 0  # probability 0.5 each
    boxes[8, 9, 0] = -0.8  # they disagree by 0.2 cells
    boxes[8, 10] = 50, 50, 0.5  # its probability is too low to vote
    found = next(decode_heatmap(heat, boxes, -1, CELLS))
    assert found.frame.width == pytest.approx(SIZE / 2)
    assert found.frame.x + found.frame.width / 2 == pytest.approx((8.5 + 0.1) * STRIDE)


def test_a_small_face_is_placed_by_its_own_cell() -> None:
    """The neighbouring cells may belong to another face."""
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    boxes[..., 2] = np.log(0.12)
    heat[4, 4], heat[4, 6] = 2, 1
    heat[4, 5] = 0.5  # not a peak
    boxes[4, 5, :2] = 9
    assert [face.frame.x for face in decode_heatmap(heat, boxes, 0, CELLS)] == pytest.approx(
        [4.5 * STRIDE - 0.06 * SIZE, 6.5 * STRIDE - 0.06 * SIZE]
    )


def test_a_better_small_face_does_not_place_a_large_one() -> None:
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    heat[8, 8], heat[8, 11] = 1, 3
    boxes[8, 8, 2], boxes[8, 11, 2] = np.log(0.9), np.log(0.2)
    small, large = decode_heatmap(heat, boxes, 0, CELLS)
    assert small.frame.width == pytest.approx(0.2 * SIZE)
    assert large.frame.width == pytest.approx(0.9 * SIZE)
    assert large.frame.x + large.frame.width / 2 == pytest.approx(8.5 * STRIDE)


def test_a_larger_map_has_faces_of_the_same_sides() -> None:
    heat = np.full((24, 32), -9, np.float32)
    boxes = np.zeros((24, 32, 3), np.float32)
    heat[20, 30] = 1
    boxes[..., 2] = np.log(0.25)
    (face,) = decode_heatmap(heat, boxes, 0, CELLS)
    assert face.frame == pytest.approx((30.5 * STRIDE - 16, 20.5 * STRIDE - 16, 32, 32))


def test_frames_are_the_same_with_the_arithmetic_of_any_processor() -> None:
    """NumPy's matrix products and exponentials are not; it takes those of old processors here."""
    features = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    code = (
        "import numpy as np\n"
        "from image_gender_classifier.detection.heatmap import decode_heatmap\n"
        "random = np.random.default_rng(0)\n"
        "for _ in range(200):\n"
        "    heat = random.normal(0, 2, (16, 16)).astype(np.float32)\n"
        "    boxes = random.normal(0, 0.2, (16, 16, 3)).astype(np.float32)\n"
        "    print([tuple(face.frame) for face in decode_heatmap(heat, boxes, 1, 16)])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **kernels},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for kernels in (
            {},
            {"OPENBLAS_CORETYPE": "Prescott"},
            {"OPENBLAS_CORETYPE": "Nehalem"},
            {"NPY_DISABLE_CPU_FEATURES": " ".join(features)},
        )
    }
    assert len(printed) == 1


@pytest.mark.parametrize("level", [-800, -720, -200, 200, 800])
def test_extreme_maps_have_finite_boxes(level: float) -> None:
    heat = np.full((CELLS, CELLS), level, np.float32)
    found = list(decode_heatmap(heat, np.zeros((CELLS, CELLS, 3), np.float32), -900, CELLS))
    assert found
    assert all(np.isfinite(face.frame).all() for face in found)

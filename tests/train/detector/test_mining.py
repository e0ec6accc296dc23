"""Mining finds what a network takes for a face, wherever in the backgrounds it is."""

from __future__ import annotations

import numpy as np
import pytest

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.detector.mining import Maps, Window, draw_window, mine

SIZE, CELLS = 128, 16


def run(pixels: Pixels) -> Maps:
    """Takes red for a face: the redder a cell, the higher its logit; frames of a quarter."""
    cells = pixels.reshape(len(pixels), CELLS, 8, CELLS, 8, 3).mean(axis=(2, 4))
    heat = ((cells[..., 0] - cells[..., 2]) / 40).astype(np.float32) - 2.5
    boxes = np.zeros((*heat.shape, 3), np.float32)
    boxes[..., 2] = np.log(0.25)
    return heat, boxes


@pytest.fixture
def backgrounds() -> list[Pixels]:
    """The second of three blue pictures has a red spot."""
    pictures = [np.full((200, 300, 3), (0, 0, 250), np.uint8) for _ in range(3)]
    pictures[1][100:140, 220:260] = (250, 0, 0)
    return pictures


def test_windows_contain_the_detections(backgrounds: list[Pixels]) -> None:
    windows = mine(backgrounds, run, SIZE)
    assert windows
    assert {window.background for window in windows} == {1}
    for _, left, top, side in windows:
        assert left < 260
        assert left + side > 220
        assert top < 140
        assert top + side > 100


def test_without_a_detection_there_is_no_window(backgrounds: list[Pixels]) -> None:
    assert mine(backgrounds[:1], run, SIZE) == []


def test_windows_are_sorted_by_logit(backgrounds: list[Pixels]) -> None:
    backgrounds[2][20:60, 20:60] = (160, 0, 100)
    windows = mine(backgrounds, run, SIZE)
    assert windows[0].background == 1
    assert 2 in {window.background for window in windows}


def test_drawn_windows_vary_around_the_detection(backgrounds: list[Pixels]) -> None:
    shown = [
        draw_window(backgrounds, Window(1, 210, 90, 60), np.random.default_rng(seed))
        for seed in range(30)
    ]
    assert all((part[..., 0] > 200).mean() > 0.2 for part in shown)
    assert len({part.shape for part in shown}) > 10

"""Whole pictures composed of faces and backgrounds; test_scenes.py tests them as scenes."""

from __future__ import annotations

import numpy as np
import pytest

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.detector import whole_scenes
from image_gender_classifier.train.detector.scene import Sources

RED, BLUE = (250, 0, 0), (0, 0, 250)


def plain(colour: tuple[int, int, int], *shape: int) -> Pixels:
    return np.full((*shape, 3), colour, np.uint8)


def test_half_of_the_backgrounds_are_tinted_like_a_face() -> None:
    """Half of the blue ones are reddish throughout; pictures with decoys have a background."""
    sources = Sources(plain(RED, 2, 128, 128), range(2), [plain(BLUE, 200, 240)])
    drawn = [
        whole_scenes.draw_whole(sources, 96, np.random.default_rng(seed)) for seed in range(300)
    ]
    darkest = [float(scene.pixels[..., 0].min()) for scene in drawn if scene.decoys]
    assert len(darkest) > 100
    assert 0.25 < np.mean(np.array(darkest) > 50) < 0.6


@pytest.mark.parametrize(("height", "width"), [(200, 300), (300, 40), (128, 128)])
def test_most_of_each_face_is_inside_the_picture(height: int, width: int) -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        side, (x, y) = whole_scenes.sample_place(height, width, random)
        assert 0 < side <= 1.3 * min(height, width)
        for centre, extent in ((x, width), (y, height)):
            assert min(0.35 * side, extent / 2) <= centre <= extent - min(0.35 * side, extent / 2)


def test_pictures_have_the_longest_side_and_some_have_faces() -> None:
    sources = Sources(plain(RED, 2, 128, 128), range(2), [plain(BLUE, 200, 240)])
    scenes = [
        whole_scenes.draw_whole(sources, 192, np.random.default_rng(seed)) for seed in range(40)
    ]
    assert {max(scene.pixels.shape) for scene in scenes} == {192}
    assert {len(scene.frames) > 0 for scene in scenes} == {False, True}

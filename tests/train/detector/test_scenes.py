"""Scenes show the faces that they say, where they say, and nothing gives them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector import scenes, whole_scenes
from image_gender_classifier.train.detector.mining import Window
from image_gender_classifier.train.detector.scene import Scene, Sources

RED, BLUE = (250, 0, 0), (0, 0, 250)
SIZE = 128


def plain(colour: tuple[int, int, int], *shape: int) -> Pixels:
    return np.full((*shape, 3), colour, np.uint8)


@pytest.fixture(scope="module")
def sources() -> Sources:
    """Faces are red, all else is blue."""
    return Sources(plain(RED, 3, 128, 128), range(3), [plain(BLUE, 200, 240), plain(BLUE, 90, 60)])


@pytest.fixture(scope="module")
def drawn(sources: Sources) -> Sequence[Scene]:
    """Scenes whose backgrounds stay blue, without lookalikes, which are red."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_scenes, "TONED", 0)
        patch.setattr(whole_scenes, "LOOKALIKES", 0)
        return [scenes.draw(sources, SIZE, np.random.default_rng(seed)) for seed in range(300)]


def redness(pixels: Pixels) -> float:
    """Share of the pixels that are redder than blue."""
    return float((pixels[..., 0] > pixels[..., 2]).mean())


def test_a_scene_depends_only_on_the_random_generator(sources: Sources) -> None:
    def draw(seed: int) -> Scene:
        return scenes.draw(sources, SIZE, np.random.default_rng(seed))

    assert np.array_equal(draw(5).pixels, draw(5).pixels)
    assert draw(5).frames == draw(5).frames
    assert draw(5).frames != draw(6).frames


def test_the_longest_side_is_the_requested_one(drawn: Sequence[Scene]) -> None:
    assert all(max(scene.pixels.shape) == SIZE for scene in drawn)
    shapes = {scene.pixels.shape[:2] for scene in drawn}
    assert any(height > width for height, width in shapes)
    assert any(height < width for height, width in shapes)
    assert (SIZE, SIZE) in shapes


def test_each_face_has_its_centre_in_the_picture(drawn: Sequence[Scene]) -> None:
    for scene in drawn:
        height, width = scene.pixels.shape[:2]
        for frame in scene.frames:
            assert frame.width == frame.height
            assert 0 <= frame.x + frame.width / 2 <= width
            assert 0 <= frame.y + frame.height / 2 <= height


def are_faces_shown(scene: Scene) -> list[bool]:
    """Whether each face has red in its middle; grey scenes tell no colours."""
    if np.ptp(scene.pixels.reshape(-1, 3).mean(axis=0)) <= 10:
        return []
    shown = []
    for frame in scene.frames:
        reach = frame.width / 8
        x, y = frame.x + frame.width / 2, frame.y + frame.width / 2
        part = scene.pixels[
            max(round(y - reach), 0) : max(round(y + reach), 1),
            max(round(x - reach), 0) : max(round(x + reach), 1),
        ]
        shown.append(redness(part) > 0.5)
    return shown


def test_faces_are_in_their_frames(drawn: Sequence[Scene]) -> None:
    """Rectangles cover a face seldom."""
    shown = [face for scene in drawn for face in are_faces_shown(scene)]
    assert len(shown) > 150
    assert np.mean(shown) > 0.93


def test_scenes_without_frames_show_no_face(drawn: Sequence[Scene]) -> None:
    empty = [scene for scene in drawn if not scene.frames]
    assert 0.08 < len(empty) / len(drawn) < 0.3
    assert np.mean([redness(scene.pixels) < 0.2 for scene in empty]) > 0.95


def test_faces_are_small_to_larger_than_the_picture(drawn: Sequence[Scene]) -> None:
    shares = np.array([frame.width / SIZE for scene in drawn for frame in scene.frames])
    assert shares.min() < 0.15
    assert shares.max() > 1.2
    assert 0.2 < np.mean(shares < 0.3) < 0.6


def test_faces_of_one_scene_do_not_overlap(drawn: Sequence[Scene]) -> None:
    several = [scene.frames for scene in drawn if len(scene.frames) > 1]
    assert several
    for frames in several:
        for place, one in enumerate(frames):
            for other in frames[place + 1 :]:
                gap = max(
                    abs(one.x + one.width / 2 - other.x - other.width / 2),
                    abs(one.y + one.height / 2 - other.y - other.height / 2),
                )
                assert gap >= 0.35 * (one.width + other.width)


def test_a_close_up_shows_its_face_large_and_in_its_frame(sources: Sources) -> None:
    pixels = plain(BLUE, 300, 400)
    pixels[100:150, 320:370] = pixels[5:55, 5:55] = RED
    scene = Scene(pixels, (Box(320, 100, 50, 50), Box(5, 5, 50, 50)))
    sides = []
    for seed in range(40):
        seen = scenes.cut_close_up(scene, SIZE, np.random.default_rng(seed))
        assert max(seen.pixels.shape) == SIZE
        (frame,) = seen.frames
        sides.append(frame.width / SIZE)
        _, columns = np.nonzero(seen.pixels[..., 0] > 125)
        assert columns.min() == pytest.approx(max(frame.x, 0), abs=2)
    assert 0.38 < min(sides) < 0.6
    assert 0.7 < max(sides) < 1.2


def test_faces_in_several_views_of_one_picture_are_in_their_frames(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_scenes, "TONED", 0)
    drawn = [scenes.draw_views(sources, SIZE, 3, np.random.default_rng(seed)) for seed in range(60)]
    assert {len(views) for views in drawn} == {3}
    views = [view for same in drawn for view in same]
    assert {max(view.pixels.shape) for view in views} == {SIZE}
    shown = [face for view in views for face in are_faces_shown(view)]
    assert len(shown) > 80
    assert np.mean(shown) > 0.93


def test_mined_windows_are_scenes_without_a_face(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_scenes, "LOOKALIKES", 0)
    monkeypatch.setattr(whole_scenes, "TONED", 0)
    mined = replace(sources, mined=[Window(0, 20, 30, 60), Window(1, 0, 0, 90)], mined_fraction=0.5)
    views = [
        view
        for seed in range(60)
        for view in scenes.draw_views(mined, SIZE, 2, np.random.default_rng(seed))
    ]
    without = [view for view in views if not view.frames]
    assert len(without) > 0.4 * len(views)
    assert np.mean([redness(view.pixels) < 0.2 for view in without]) > 0.9


def test_faces_are_not_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left and right of FairFace's frames differ."""
    monkeypatch.setattr(whole_scenes, "LOOKALIKES", 0)
    face = np.hstack([plain(RED, 128, 64), plain((0, 250, 0), 128, 64)])
    sources = Sources(face[None], range(1), [plain(BLUE, 200, 240)])
    ways = []
    for seed in range(60):
        scene = scenes.draw(sources, SIZE, np.random.default_rng(seed))
        if len(scene.frames) != 1:
            continue
        (frame,) = scene.frames
        left, top = max(round(frame.x), 0), max(round(frame.y), 0)
        right, bottom = round(frame.x + frame.width), round(frame.y + frame.width)
        pixels = scene.pixels[top:bottom, left:right]  # its edge may continue as a mirror image
        red, green = (
            np.nonzero((pixels[..., channel] > 150) & (pixels[..., 2] < 100))[1]
            for channel in (0, 1)
        )
        if len(red) > 100 and len(green) > 100:
            ways.append(green.mean() - red.mean())
    assert len(ways) > 20
    assert min(ways) > 0

"""Composites show one face where they say, and pictures without people are mirrored parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector.candidate_pictures import (
    draw_composite,
    draw_part,
    shrink,
)

RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)


def plain(colour: tuple[int, int, int], *shape: int) -> Pixels:
    return np.full((*shape, 3), colour, np.uint8)


def stronger(pixels: Pixels, channel: int, other: int) -> npt.NDArray[np.bool_]:
    """Where a colour is stronger than another; degraded pictures are paler."""
    return pixels[..., channel] > 1.3 * pixels[..., other].astype(float)


@pytest.fixture(scope="module")
def composites() -> list[tuple[Pixels, Box]]:
    """Of a face that is red above and green below, on blue."""
    face = np.vstack([plain(RED, 64, 128), plain(GREEN, 64, 128)])
    places = [plain(BLUE, 200, 320), plain(BLUE, 90, 60)]
    return [draw_composite([face], places, np.random.default_rng(seed)) for seed in range(120)]


def is_coloured(pixels: Pixels) -> bool:
    return bool(np.ptp(pixels.reshape(-1, 3).mean(axis=0)) > 10)


def test_the_face_is_inside_its_frame_only(
    composites: list[tuple[Pixels, Box]],
) -> None:
    """Rectangles hide a part of some, and noise and JPEG blur the edge."""
    inside, outside = [], []
    for pixels, frame in composites:
        if not is_coloured(pixels):
            continue
        side = round(frame.width)
        x, y = round(frame.x), round(frame.y)
        shown = ~stronger(pixels, 2, 0) | ~stronger(pixels, 2, 1)
        middle = shown[y + side // 4 : y + 3 * side // 4, x + side // 4 : x + 3 * side // 4]
        inside.append(middle.mean())
        shown[max(y - 3, 0) : y + side + 3, max(x - 3, 0) : x + side + 3] = False
        outside.append(shown.mean())
    assert len(inside) > 90
    assert np.mean(np.array(inside) > 0.9) > 0.93
    assert np.mean(np.array(outside) < 0.02) > 0.85


def test_frames_are_inside_the_picture_and_of_all_sizes(
    composites: list[tuple[Pixels, Box]],
) -> None:
    shares = []
    for pixels, frame in composites:
        height, width = pixels.shape[:2]
        assert frame.width == frame.height
        assert 0 <= frame.x <= width - frame.width
        assert 0 <= frame.y <= height - frame.height
        shares.append(frame.width / max(height, width))
    assert min(shares) < 0.09
    assert 0.5 < max(shares) < 0.9
    assert 0.35 < np.mean(np.array(shares) < 0.22) < 0.65, "evenly by their logarithm"


def test_half_of_the_faces_are_tilted_by_less_than_60_degrees(
    composites: list[tuple[Pixels, Box]],
) -> None:
    tilts = []
    for pixels, frame in composites:
        if not is_coloured(pixels) or frame.width < 50:
            continue
        left, top, right = round(frame.x), round(frame.y), round(frame.x + frame.width)
        part = pixels[top : round(frame.y + frame.width), left:right]
        above, below = (
            np.argwhere(stronger(part, channel, 2) & stronger(part, channel, 1 - channel))
            for channel in (0, 1)
        )
        if min(len(above), len(below)) > 200:
            down, across = below.mean(axis=0) - above.mean(axis=0)
            tilts.append(float(np.degrees(np.arctan2(across, down))))
    assert len(tilts) > 30
    assert max(map(abs, tilts)) < 60
    assert 0.25 < np.mean(np.abs(tilts) > 6) < 0.7
    assert min(tilts) < -10
    assert max(tilts) > 10


def test_pictures_depend_only_on_the_random_generator() -> None:
    faces, places = [plain(RED, 64, 64)], [plain(BLUE, 100, 160)]

    def draw(seed: int) -> tuple[bytes, Box, bytes]:
        pixels, frame = draw_composite(faces, places, np.random.default_rng(seed))
        return pixels.tobytes(), frame, draw_part(places[0], np.random.default_rng(seed)).tobytes()

    assert draw(5) == draw(5)
    assert len({draw(seed)[1] for seed in range(5)}) == 5


def test_sources_are_not_modified() -> None:
    face, place = plain(RED, 64, 64), plain(BLUE, 100, 160)
    for seed in range(40):
        draw_composite([face], [place], np.random.default_rng(seed))
        draw_part(place, np.random.default_rng(seed))
    assert (face == RED).all()
    assert (place == BLUE).all()


def test_parts_are_mirrored_and_smaller_than_the_picture() -> None:
    """Red counts the columns and green the rows of the picture."""
    rows, columns = np.indices((120, 200))
    place = np.dstack([columns, rows, np.full_like(rows, 90)]).astype(np.uint8)
    shapes, unchanged, mirrored = [], [], []
    for seed in range(80):
        part = draw_part(place, np.random.default_rng(seed))
        height, width = part.shape[:2]
        shapes.append((height / 120, width / 200))
        red, green = part[..., 0].astype(float), part[..., 1].astype(float)
        turned = red[:, :9].mean() > red[:, -9:].mean()
        mirrored.append(turned and green[-9:].mean() > green[:9].mean())
        unchanged.append(bool((part[..., 2] == 90).all()))
        if unchanged[-1]:
            left, top = int(part[0, -1, 0]), int(part[0, 0, 1])
            cut = place[top : top + height, left : left + width]
            assert np.array_equal(part, cut[:, ::-1])
    assert 0.25 < np.mean(unchanged) < 0.55
    assert np.mean(mirrored) > 0.9, "a few are grey"
    assert 0.38 < np.min(shapes) < 0.5
    assert 0.8 < np.max(shapes) < 0.92
    high, wide = np.transpose(shapes)
    assert np.allclose(high, wide, atol=0.01), "as its picture"


@pytest.mark.parametrize("shape", [(900, 1200), (1200, 900), (401, 30), (800, 800)])
def test_large_pictures_are_shrunk(shape: tuple[int, int]) -> None:
    small = shrink(plain(RED, *shape))
    assert max(small.shape) == 400
    expected = [extent * 400 / max(shape) for extent in shape]
    assert small.shape[:2] == pytest.approx(expected, abs=0.51)
    assert (small == RED).all()


@pytest.mark.parametrize("shape", [(400, 300), (5, 400), (250, 390), (1, 1)])
def test_small_pictures_are_not_resized(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert np.array_equal(shrink(pixels), pixels)

"""What uploads do to a picture's quality."""

from __future__ import annotations

import numpy as np
import pytest

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common import quality


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)


def test_a_lower_jpeg_quality_loses_more(pixels: Pixels) -> None:
    lost = [
        np.abs(quality.compress_jpeg(pixels, value).astype(int) - pixels).mean()
        for value in (90, 20)
    ]
    assert 0 < lost[0] < lost[1]


def test_jpeg_compression_keeps_the_order_of_channels() -> None:
    red = np.full((16, 16, 3), (250, 10, 10), np.uint8)
    assert np.abs(quality.compress_jpeg(red, 90).astype(int) - red).max() < 6


def test_grey_is_the_luma_in_every_channel(pixels: Pixels) -> None:
    grey = quality.convert_to_grey(pixels)
    luma = pixels @ (0.299, 0.587, 0.114)
    assert (grey == grey[..., :1]).all()
    assert np.abs(grey[..., 0] - luma).max() <= 1


def test_shrinking_averages_areas(pixels: Pixels) -> None:
    means = pixels.reshape(20, 2, 10, 4, 3).mean(axis=(1, 3))
    assert np.abs(quality.shrink_pixels(pixels, 20, 10) - means).max() <= 0.5

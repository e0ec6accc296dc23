"""The fallback for OpenCV builds without GIF support."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from image_gender_classifier.imaging import gif


def encoded(picture: Image.Image, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, "GIF", **options)
    return file.getvalue()


def test_first_frame_of_an_animation_in_bgra() -> None:
    frames = [Image.new("RGB", (5, 3), colour) for colour in ("red", "blue")]
    pixels = gif.first_frame(encoded(frames[0], save_all=True, append_images=frames[1:]))
    assert pixels is not None
    assert pixels.shape == (3, 5, 4)
    assert pixels[0, 0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"GIF89a" + bytes(100), b"\xff\xd8\xff"])
def test_what_is_no_gif_gives_none(data: bytes) -> None:
    assert gif.first_frame(data) is None


def test_an_opencv_that_reads_gif_is_recognised() -> None:
    data = np.frombuffer(encoded(Image.new("RGB", (5, 3), "red")), np.uint8)
    assert gif.opencv_reads_gif() == (cv2.imdecode(data, cv2.IMREAD_COLOR) is not None)

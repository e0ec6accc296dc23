from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import decoding

RNG = np.random.default_rng(5)


def pixels(data: bytes) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return decoding.decode(data, 10_000).pixels


def by_pillow(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as picture:
        if picture.mode == "I":
            return np.round(np.asarray(picture) / 65535 * 255).astype(np.uint8)[..., None]
        return np.asarray(picture.convert("RGB"))


def plain(kind: int, width: int, height: int, highest: int) -> bytes:
    channels = 3 if kind == 3 else 1
    numbers = RNG.integers(0, highest + 1, width * height * channels)
    header = f"P{kind}\n# a comment\n{width} {height}\n" + (f"{highest}\n" if kind > 1 else "")
    return (header + " ".join(map(str, numbers)) + "\n").encode()


def binary(kind: int, width: int, height: int, highest: int) -> bytes:
    channels = 3 if kind == 6 else 1
    numbers = RNG.integers(0, highest + 1, width * height * channels)
    stored = numbers.astype(">u2" if highest > 255 else "u1").tobytes()
    if kind == 4:
        stored = np.packbits(numbers.reshape(height, width), axis=1).tobytes()
    header = f"P{kind} {width} {height}" + (f" {highest}\n" if kind > 4 else "\n")
    return header.encode() + stored


@pytest.mark.parametrize("size", [(1, 1), (13, 7), (130, 90)])
@pytest.mark.parametrize(
    ("make", "kind", "highest"),
    [
        *((plain, 1, 1), (plain, 2, 255), (plain, 2, 1000), (plain, 3, 255), (plain, 3, 7)),
        *((binary, 4, 1), (binary, 5, 255), (binary, 5, 100), (binary, 5, 65535)),
        *((binary, 5, 1000), (binary, 6, 255), (binary, 6, 100), (binary, 6, 4095)),
    ],
)
def test_pixels_are_those_of_pillow(
    make: Callable[..., bytes], kind: int, highest: int, size: tuple[int, int]
) -> None:
    data = make(kind, *size, highest)
    wanted = np.broadcast_to(by_pillow(data), (size[1], size[0], 3)).astype(int)
    assert np.abs(pixels(data) - wanted).max() <= (highest not in (1, 255))


def test_a_plain_picture_of_12_million_samples() -> None:
    """Pillow takes half a minute for it."""
    numbers = b"255 0 17\n" * (2000 * 2000)
    seen = decoding.decode(b"P3 2000 2000 255\n" + numbers, 10_000).pixels
    assert seen.shape == (2000, 2000, 3)
    assert (seen == (255, 0, 17)).all()


def test_comments_end_with_the_line_wherever_blocks_end() -> None:
    comment = b"# 9 9 9 " + b"7 " * 2**20 + b"\n"
    assert pixels(b"P2 3 1 255\n1 2" + comment + b"\n3").tolist() == [[[1] * 3, [2] * 3, [3] * 3]]
    assert pixels(b"P1 3 1\n1#0\n01").tolist() == [[[0] * 3, [255] * 3, [0] * 3]]


def test_digits_of_a_plain_bitmap_need_no_space() -> None:
    assert pixels(b"P1 2 2 01\n10")[..., 0].tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"P6 2 2 255\n" + bytes(11), "truncated"),
        (b"P4 9 2\n" + bytes(3), "truncated"),
        (b"P4 9 2", "truncated"),
        (b"P3 1 1 255\n1 2", "truncated"),
        (b"P3 1 1 255\n1 2 256", "corrupt"),
        (b"P3 1 1 255\n1 2 -3", "corrupt"),
        (b"P3 1 1 255\n1 2 99999999999999999999999", "corrupt"),
        (b"P1 2 1\n1 2", "corrupt"),
        (b"P5 0 1 255\n1", "corrupt"),
        (b"P5 1 1 65536\n1", "corrupt"),
        (b"P2 1 1 255\n" + b"#\n" * 10_000 + b"1", "more than 4,096 comments"),
        (b"P2 9000 9000 255\n1", "--max-pixels"),
        (b"P3 8000 8000 255\n1", "192,000,000 numbers, more than the limit of 16,777,216"),
    ],
)
def test_faulty_files_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(UnreadablePicture, match=said):
        decoding.decode(data)


@given(st.sampled_from([b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"]), st.binary(max_size=60))
def test_any_bytes_give_a_picture_or_a_message(magic: bytes, further: bytes) -> None:
    with suppress(UnreadablePicture):
        assert pixels(magic + b" 3 2 " + further).shape == (2, 3, 3)

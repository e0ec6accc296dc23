"""What headers say, and that no bytes at all make the readers fail otherwise than they promise."""

from __future__ import annotations

import functools
import io
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import headers
from image_gender_classifier.imaging.formats import JPEG, PNG, WEBP, require_format
from image_gender_classifier.imaging.headers import Header

WIDTH, HEIGHT = 23, 17
FORMATS = {"JPEG": JPEG, "PNG": PNG, "WEBP": WEBP}


def read_header(data: bytes) -> Header:
    return headers.read_header(data, require_format(data))


def encode(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (WIDTH, HEIGHT)).save(file, form, **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[274] = orientation
    return block


@functools.cache
def samples() -> tuple[bytes, ...]:
    """One valid file of each kind that is read differently."""
    return (
        encode("JPEG", exif=exif(6)),
        encode("JPEG", progressive=True),
        encode("PNG", exif=exif(3)),
        encode("PNG", "RGBA"),
        encode("WEBP", exif=exif(8)),
        encode("WEBP"),
        encode("WEBP", lossless=True),
    )


@pytest.mark.parametrize("form", FORMATS)
def test_size(form: str) -> None:
    header = read_header(encode(form))
    assert (header.format, header.width, header.height) == (FORMATS[form], WIDTH, HEIGHT)
    assert (header.orientation, header.transparent) == (1, False)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", FORMATS)
def test_orientation(form: str, orientation: int) -> None:
    header = read_header(encode(form, exif=exif(orientation)))
    assert (header.orientation, header.width, header.height) == (orientation, WIDTH, HEIGHT)


def test_orientation_behind_the_pixels_of_a_png() -> None:
    data = encode("PNG")
    block = b"eXIf" + b"II*\0" + struct.pack("<IHHHII", 8, 1, 274, 3, 1, 6)
    chunk = struct.pack(">I", len(block) - 4) + block + b"\0" * 4
    assert read_header(data[:-12] + chunk + data[-12:]).orientation == 6


def test_nonsense_orientation_is_upright() -> None:
    assert read_header(encode("JPEG", exif=exif(9))).orientation == 1
    data = encode("JPEG", exif=exif(6))
    assert read_header(data.replace(b"MM\0*", b"MM\0?")).orientation == 1


@pytest.mark.parametrize(
    ("form", "mode", "options", "transparent"),
    [
        ("PNG", "LA", {}, True),
        ("PNG", "RGBA", {}, True),
        ("PNG", "P", {"transparency": 0}, True),
        ("PNG", "P", {}, False),
        ("WEBP", "RGBA", {}, True),
        ("WEBP", "RGBA", {"lossless": True}, True),
    ],
)
def test_transparency(form: str, mode: str, options: dict[str, Any], transparent: bool) -> None:
    assert read_header(encode(form, mode, **options)).transparent is transparent


@pytest.mark.parametrize("form", ["L", "RGB", "CMYK"])
def test_components_of_a_jpeg(form: str) -> None:
    assert read_header(encode("JPEG", form)).components == {"L": 1, "RGB": 3, "CMYK": 4}[form]


def test_an_animated_png_is_not_plain() -> None:
    frame = Image.new("RGB", (WIDTH, HEIGHT), "red")
    assert not read_header(encode("PNG", save_all=True, append_images=[frame])).plain


@pytest.mark.parametrize("missing", [1, 4, 8, 12, 20])
def test_a_png_without_its_end_is_not_plain(missing: int) -> None:
    data = encode("PNG")
    assert read_header(data).plain
    assert not read_header(data[:-missing]).plain


def test_first_scan_of_a_jpeg() -> None:
    data = encode("JPEG")
    header = read_header(data)
    assert data[header.data_offset - 2 : header.data_offset] == b"\xff\xda"


def test_twelve_bit_jpeg_is_named() -> None:
    data = encode("JPEG")
    at = data.index(b"\xff\xc0")
    with pytest.raises(UnreadablePicture, match="12 bits"):
        read_header(data[: at + 4] + b"\x0c" + data[at + 5 :])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xd8\xff", "truncated"),
        (b"\xff\xd8\xff\xd9", "corrupt"),
        (b"\xff\xd8" + b"\xff" * 200_000, "truncated"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + bytes(13), "corrupt"),
    ],
)
def test_what_is_no_picture(data: bytes, message: str) -> None:
    with pytest.raises(UnreadablePicture, match=message):
        read_header(data)


def check_promise(data: bytes) -> None:
    try:
        header = read_header(data)
    except UnreadablePicture as error:
        message = str(error)
        assert "; " in message
    else:
        assert header.width > 0 and header.height > 0 and 1 <= header.orientation <= 8


BEGINNINGS = [data[:start] for data in samples() for start in (12, 20, 30)]


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=200))
@settings(max_examples=400)
def test_any_bytes(beginning: bytes, rest: bytes) -> None:
    check_promise(beginning + rest)


@given(st.sampled_from(samples()), st.data())
@settings(max_examples=300)
def test_truncations(data: bytes, draw: st.DataObject) -> None:
    check_promise(data[: draw.draw(st.integers(0, len(data)))])


@given(st.sampled_from(samples()), st.data())
@settings(max_examples=400)
def test_bit_flips(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 5))):
        at = draw.draw(st.integers(0, min(len(damaged), 700) - 1))
        damaged[at] ^= 1 << draw.draw(st.integers(0, 7))
    check_promise(bytes(damaged))

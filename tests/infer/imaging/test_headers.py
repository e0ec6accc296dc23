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
from image_gender_classifier.imaging.headers import EXTENSIONS, Header, read_header, sniff

WIDTH, HEIGHT = 23, 17


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
        encode("BMP"),
        encode("BMP", "RGBA"),
        encode("TIFF", tiffinfo={274: 5}),
        encode("TIFF", "RGBA", big_tiff=True),
        encode("GIF", "P", transparency=0, comment=b"x" * 600),
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_size_and_format(form: str) -> None:
    data = encode(form)
    assert sniff(data[:18]) == form.lower()
    header = read_header(data)
    assert (header.format, header.width, header.height) == (form.lower(), WIDTH, HEIGHT)
    assert (header.orientation, header.alpha) == (1, "none")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation(form: str, orientation: int) -> None:
    options: dict[str, Any] = {"exif": exif(orientation)}
    if form == "TIFF":
        options = {"tiffinfo": {274: orientation}}
    header = read_header(encode(form, **options))
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
    ("form", "mode", "options", "alpha"),
    [
        ("PNG", "LA", {}, "straight"),
        ("PNG", "RGBA", {}, "straight"),
        ("PNG", "P", {"transparency": 0}, "straight"),
        ("PNG", "P", {}, "none"),
        ("WEBP", "RGBA", {}, "straight"),
        ("WEBP", "RGBA", {"lossless": True}, "straight"),
        ("TIFF", "RGBA", {}, "straight"),
        ("TIFF", "CMYK", {}, "none"),
        ("BMP", "RGBA", {}, "none"),
        ("GIF", "P", {"transparency": 0}, "straight"),
    ],
)
def test_alpha(form: str, mode: str, options: dict[str, Any], alpha: str) -> None:
    assert read_header(encode(form, mode, **options)).alpha == alpha


def test_first_scan_of_a_jpeg() -> None:
    data = encode("JPEG")
    header = read_header(data)
    assert data[header.data_offset - 2 : header.data_offset] == b"\xff\xda"


@pytest.mark.parametrize("height", [HEIGHT, -HEIGHT])
def test_bmp_rows_may_run_downwards(height: int) -> None:
    data = b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, WIDTH, height, 1, 24, 0) + bytes(20)
    assert read_header(data) == Header("bmp", WIDTH, HEIGHT)


def test_twelve_bit_jpeg_is_named() -> None:
    data = encode("JPEG")
    at = data.index(b"\xff\xc0")
    with pytest.raises(UnreadablePicture, match="12 bits"):
        read_header(data[: at + 4] + b"\x0c" + data[at + 5 :])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a JPEG"),
        (b"BMW is a maker of cars, not a picture.", "not a JPEG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\xff\xd8\xff\xd9", "corrupt"),
        (b"\xff\xd8" + b"\xff" * 200_000, "truncated"),
        (b"II*\0\xff\xff\xff\xff", "corrupt"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + bytes(13), "corrupt"),
    ],
)
def test_what_is_no_picture(data: bytes, message: str) -> None:
    with pytest.raises(UnreadablePicture, match=message):
        read_header(data)


def test_extensions_are_lower_case_with_a_dot() -> None:
    assert {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".gif"} < EXTENSIONS
    assert all(name.startswith(".") and name == name.lower() for name in EXTENSIONS)


def check_promise(data: bytes) -> None:
    try:
        header = read_header(data)
    except UnreadablePicture as error:
        message = str(error)
        assert "; " in message
    else:
        assert header.width > 0 and header.height > 0 and 1 <= header.orientation <= 8


BEGINNINGS = [data[:start] for data in samples() for start in (12, 20, 30)]


@given(st.sampled_from([b"", *BEGINNINGS]), st.binary(max_size=200))
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

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import decoding, icons
from image_gender_classifier.imaging.limits import Limits


def encode(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def icon(*pictures: tuple[int, int, int, bytes]) -> bytes:
    """An icon file of pictures: stated width and height, bits per pixel, content."""
    directory, contents = struct.pack("<HHH", 0, 1, len(pictures)), b""
    start = 6 + 16 * len(pictures)
    for width, height, bits, content in pictures:
        entry = (width % 256, height % 256, 0, 0, 1, bits, len(content), start + len(contents))
        directory += struct.pack("<BBBBHHII", *entry)
        contents += content
    return directory + contents


def bitmap(colour: str, side: int, bits: int = 24) -> bytes:
    """A bitmap as icon files hold it: without a file header, with a mask of visible pixels."""
    data = bytearray(encode(Image.new("RGB", (side, side), colour), "DIB"))
    struct.pack_into("<i", data, 8, 2 * side)
    return bytes(data) + bytes((side + 31) // 32 * 4 * side)


@pytest.mark.parametrize("options", [{}, {"bitmap_format": "bmp"}], ids=["png", "bitmap"])
def test_the_largest_picture_is_read(options: dict[str, str]) -> None:
    colours = Image.linear_gradient("L").convert("RGB")
    data = encode(colours, "ICO", sizes=[(16, 16), (64, 64), (32, 32)], **options)
    assert decoding.decode(data).pixels.shape == (64, 64, 3)


def test_of_two_sizes_alike_the_one_with_more_colours_is_read() -> None:
    data = icon((32, 32, 4, bitmap("red", 32)), (32, 32, 24, bitmap("blue", 32)))
    assert decoding.decode(data).pixels[5, 5].tolist() == [0, 0, 255]


def test_transparent_pixels_are_white() -> None:
    picture = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    for form in ("png", "bmp"):
        data = encode(picture, "ICO", sizes=[(20, 20)], bitmap_format=form)
        assert decoding.decode(data).pixels[3, 3].tolist() == [255, 255, 255]


@pytest.mark.parametrize("form", ["PNG", "bitmap"])
def test_the_real_size_counts_against_the_limit(form: str) -> None:
    side = 300
    content = (
        encode(Image.new("RGB", (side, side)), "PNG") if form == "PNG" else bitmap("red", side)
    )
    data = icon((16, 16, 24, content))
    assert decoding.decode(data).width == side
    with pytest.raises(UnreadablePicture, match=r"300 x 300 pixels.*--max-pixels"):
        decoding.decode(data, limits=Limits(pixels=side * side - 1))


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    huge = bytearray(bitmap("red", 16))
    struct.pack_into("<ii", huge, 4, 60_000, 120_000)
    with pytest.raises(UnreadablePicture, match="60000 x 60000 pixels"):
        decoding.decode(icon((16, 16, 24, bytes(huge))))


def test_thousands_of_entries_are_no_trouble() -> None:
    picture = encode(Image.new("RGB", (16, 16), "red"), "PNG")
    many = icon(*[(16, 16, 24, picture)] * 5000)
    assert decoding.decode(many).pixels[0, 0].tolist() == [255, 0, 0]


def test_the_stated_length_may_be_too_small() -> None:
    data = bytearray(icon((16, 16, 24, bitmap("red", 16))))
    struct.pack_into("<I", data, 14, struct.unpack_from("<I", data, 14)[0] - 12)
    assert decoding.decode(bytes(data)).pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("data", [b"", b"\0\0\1\0\0\0", icon((8, 8, 24, b""))])
def test_corrupt_files_hold_no_icon(data: bytes) -> None:
    assert icons.extract_largest(data) is None


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    icons.extract_largest(data)
    try:
        decoding.decode(b"\0\0\1\0\1\0" + data, limits=Limits(pixels=2**20))
    except UnreadablePicture as error:
        assert "; " in str(error)

from __future__ import annotations

import io
import logging
import struct
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile, features

import image_gender_classifier as igc
from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging import decoding, memory_errors
from image_gender_classifier.imaging.limits import Limits

GREY = Image.linear_gradient("L").resize((60, 40))
RGB = Image.merge("RGB", (GREY, GREY.rotate(180), Image.new("L", GREY.size, 90)))


def encode(picture: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Makes a package impossible to import."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)


def photoshop(colours: Image.Image) -> bytes:
    """A Photoshop file without layers."""
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, colours.height, colours.width, 8, 3)
    planes = np.asarray(colours).transpose(2, 0, 1).tobytes()
    return header + bytes(12) + b"\0\0" + planes


def test_photoshop_files_are_read() -> None:
    assert np.array_equal(decoding.decode(photoshop(RGB)).pixels, np.asarray(RGB))


def test_grey_of_12_and_16_bits_is_scaled() -> None:
    grey = np.asarray(GREY.convert("RGB")).astype(int)
    deep = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
    for form, options in (("PPM", {}), ("JPEG2000", {}), ("TIFF", {"compression": "tiff_lzw"})):
        seen = decoding.decode(encode(deep, form, **options)).pixels
        assert np.abs(seen.astype(int) - grey).max() <= 1, form


def test_rows_of_a_run_length_bitmap_may_be_padded() -> None:
    """ImageMagick pads the rows of width 3 to 4 pixels, before the mark that ends a row."""
    palette = b"".join(bytes((n, n, n, 0)) for n in range(256))
    rows = b"".join(bytes((3, 40 * row, 1, 0, 0, 0)) for row in range(1, 6)) + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 3, 5, 1, 8, 1, len(rows), 0, 0, 256, 0)
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + header + palette + rows
    assert decoding.decode(data).pixels[:, 0, 0].tolist() == [200, 160, 120, 80, 40]


def test_bitmap_of_16_bits_with_a_long_header() -> None:
    header = struct.pack("<IiiHHIIiiII", 124, 2, 1, 1, 16, 3, 4, 0, 0, 0, 0)
    header += struct.pack("<III", 0xF800, 0x7E0, 0x1F) + bytes(124 - 52)
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, 138) + header + struct.pack("<HH", 0xF800, 0x1F)
    assert decoding.decode(data).pixels[0].tolist() == [[255, 0, 0], [0, 0, 255]]


def test_bitmap_of_one_pixel_with_the_shortest_header() -> None:
    """It ends where longer headers have the compression."""
    header = struct.pack("<IHHHH", 12, 1, 1, 1, 24)
    data = b"BM" + struct.pack("<IHHI", 30, 0, 0, 26) + header + bytes((1, 2, 3, 0))
    assert decoding.decode(data).pixels.tolist() == [[[3, 2, 1]]]


def test_gif_with_an_empty_screen() -> None:
    data = bytearray(encode(RGB.quantize(16), "GIF"))
    whole = decoding.decode(bytes(data))
    data[6:10] = bytes(4)
    assert np.array_equal(decoding.decode(bytes(data)).pixels, whole.pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiles_of_a_turned_grey_tiff_of_16_bits(orientation: int) -> None:
    deep = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
    tags = {274: orientation, 322: 16, 323: 16}
    seen = decoding.decode(encode(deep, "TIFF", tiffinfo=tags)).pixels
    plain = decoding.decode(encode(GREY, "PNG", exif=exif(orientation))).pixels
    assert np.array_equal(seen, plain)


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[274] = orientation
    return block


def test_corrupt_exif_does_no_harm() -> None:
    if not features.check("avif"):
        pytest.skip("this Pillow does not read AVIF")
    block = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 9, 271, 2, 99, 2**30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = encode(RGB, "AVIF", exif=block)
    assert decoding.decode(data).width == RGB.width


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_an_orientation_in_xmp_is_ignored(form: str) -> None:
    """As in viewers, and by the standard, which has a property for it."""
    if form == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow does not read AVIF")
    if form == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    # Of the second form, pillow-heif does not remove the orientation.
    for text in (b"<tiff:Orientation>6</tiff:Orientation>", b"<tiff:Orientation>6 <"):
        # The encoder of pillow-heif would make a property of it, so it is renamed afterwards.
        block = b"<x:xmpmeta>" + text.replace(b"tiff", b"none") + b"</x:xmpmeta>"
        data = encode(RGB, form, xmp=block)
        assert block in data
        picture = decoding.decode(data.replace(b"none:O", b"tiff:O"))
        assert (picture.width, picture.height) == RGB.size


def test_large_pictures_are_shrunk_as_png_is() -> None:
    large = RGB.resize((1400, 900))
    plain = decoding.decode(encode(large, "PNG")).pixels
    for form in ("TIFF", "BMP", "PPM"):
        picture = decoding.decode(encode(large, form))
        assert (picture.width, picture.height) == large.size
        assert np.array_equal(picture.pixels, plain)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "BMP"])
def test_missing_pillow_is_named(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(RGB, form)
    without(monkeypatch, "PIL")
    with pytest.raises(UnreadablePicture, match=f"{form} needs Pillow, .*pip install .*pillow, or"):
        decoding.decode(data)


def test_missing_pillow_heif_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pillow_heif")
    named = r"pillow-heif \(the extra heif\), .*pip install pillow-heif"
    with pytest.raises(UnreadablePicture, match=named):
        decoding.decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))


@pytest.mark.parametrize(
    ("feature", "data", "named"),
    [
        ("avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF needs Pillow 11.3 or newer"),
        ("jpg_2000", encode(RGB, "JPEG2000"), "JPEG 2000 needs Pillow"),
        ("libtiff", encode(RGB, "TIFF"), "TIFF needs Pillow"),
    ],
)
def test_a_pillow_without_a_decoder_is_named(
    feature: str, data: bytes, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = features.check
    monkeypatch.setattr(features, "check", lambda name: name != feature and check(name))
    with pytest.raises(UnreadablePicture, match=f"{named}.*the installed one lacks it; run: .*pip"):
        decoding.decode(data)


def test_a_pillow_without_the_avif_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.AvifImagePlugin", None)
    with pytest.raises(UnreadablePicture, match=r"Pillow 11.3 or newer, but the installed one"):
        decoding.decode(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif")


def warned_of() -> bytes:
    """A TIFF with two resolution units, of which Pillow warns."""
    data = encode(RGB, "TIFF", dpi=(72, 72))
    return data.replace(struct.pack("<HHI", 296, 3, 1), struct.pack("<HHI", 296, 3, 2))


def test_warnings_become_log_messages(caplog: Any) -> None:
    with warnings.catch_warnings(), caplog.at_level(logging.INFO, "image_gender_classifier"):
        warnings.simplefilter("error")  # a host program's choice, which must not stop decoding
        picture = decoding.decode(warned_of())
    assert picture.width == RGB.width
    assert "Pillow warning about a TIFF file" in caplog.text


def test_threads_do_not_disturb_each_others_warnings() -> None:
    before = warnings.filters[:]
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(decoding.decode, [warned_of()] * 40))
    assert {picture.width for picture in pictures} == {RGB.width}
    assert warnings.filters == before


def test_a_limit_of_ones_own_may_exceed_that_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(RGB, "TIFF")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decoding.decode(data, limits=Limits(pixels=2**20)).width == RGB.width
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("error", [MemoryError, OSError("decoder error -9")])
def test_too_little_memory_is_no_fault_of_the_picture(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    data = encode(RGB, "TIFF")
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    monkeypatch.setattr(
        memory_errors, "is_memory_available", lambda size: size < RGB.width * RGB.height
    )
    with pytest.raises(Unfinished, match="not enough memory"):
        decoding.decode(data)


def test_a_picture_that_needs_more_memory_than_it_states(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    data = encode(RGB, "TIFF")
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(UnreadablePicture, match="larger than its header states"):
        decoding.decode(data)


def test_a_host_programs_choice_to_load_half_a_picture_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for form in ("BMP", "GIF", "TGA", "TIFF"):
        data = encode(RGB, form)
        with pytest.raises(UnreadablePicture):
            decoding.decode(data[: len(data) // 2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_messages_are_the_same_in_each_run() -> None:
    data = encode(RGB, "GIF")[:200]
    messages = set()
    for _ in range(3):
        with pytest.raises(UnreadablePicture) as caught:
            decoding.decode(data)
        messages.add(str(caught.value))
    assert len(messages) == 1 and "0x" not in messages.pop()


def test_pictures_of_other_formats_are_classified_as_png_is(face_picture: Path) -> None:
    classifier = igc.load()
    with Image.open(face_picture) as picture:
        plain = classifier.classify(encode(picture, "PNG"))
        assert plain.faces
        for form in ("BMP", "TIFF", "JPEG2000", "PPM", "TGA"):
            prediction = classifier.classify(encode(picture, form))
            assert replace(prediction, run=plain.run) == plain, form


def test_the_memory_for_rows_of_one_pixel_is_limited() -> None:
    header = struct.pack("<IiiHHIIiiII", 40, 1, 2**26, 1, 8, 0, 0, 0, 0, 256, 0)
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + header + bytes(2000)
    with pytest.raises(UnreadablePicture, match="take the memory of 4 times as many"):
        decoding.decode(data)

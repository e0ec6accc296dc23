from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import formats
from image_gender_classifier.imaging.formats import (
    EXTENSIONS,
    FORMATS,
    SNIFFED_BYTES,
    Format,
    require_format,
    sniff,
)

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow does not read AVIF")


def encode(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (23, 17)).save(file, form, **options)
    return file.getvalue()


def ftyp(*brands: bytes) -> bytes:
    """The first box of an ISO base media file."""
    major, *compatible = brands
    box = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", 4 + len(box)) + box + b"\0\0\0\x08meta"


def tiff(tags: dict[int, int], size: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4 + size)


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("JPEG", formats.JPEG),
        ("PNG", formats.PNG),
        ("WEBP", formats.WEBP),
        pytest.param("AVIF", formats.AVIF, marks=needs_avif),
        ("BMP", formats.BMP),
        ("GIF", formats.GIF),
        ("ICO", formats.ICO),
        ("JPEG2000", formats.JPEG_2000),
        ("PCX", formats.PCX),
        ("PPM", formats.PNM),
        ("SGI", formats.SGI),
        ("TGA", formats.TGA),
        ("TIFF", formats.TIFF),
    ],
)
def test_pictures_are_recognised_by_content(form: str, kind: Format) -> None:
    data = encode(form)
    assert sniff(data[:SNIFFED_BYTES]) is kind
    assert require_format(data) is kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ftyp(b"heic", b"mif1", b"heic"), formats.HEIC),
        (ftyp(b"mif1", b"mif1", b"heix", b"miaf"), formats.HEIC),
        (ftyp(b"msf1", b"hevc"), formats.HEIC),
        (ftyp(b"avif", b"mif1", b"miaf"), formats.AVIF),
        (ftyp(b"mif1", b"mif1", b"avif"), formats.AVIF),
        (b"\xff\x4f\xff\x51" + bytes(40), formats.JPEG_2000),
        (b"8BPS\0\1" + bytes(40), formats.PSD),
        (b"P5 # by GIMP\n8 8\n255\n", formats.PNM),
        (b"MM\0+" + bytes(40), formats.TIFF),
    ],
)
def test_other_signatures(data: bytes, kind: Format) -> None:
    assert sniff(data[:SNIFFED_BYTES]) is kind


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\x0a\xfa\x1f\x01", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"%PDF-1.7\n", "PDF"),
        (ftyp(b"crx ", b"crx ", b"isom"), "camera raw"),
        (b"II\x1a\0\0\0HEAPCCDR", "camera raw"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"IIRO\x08\0\0\0", "camera raw"),
        (b"IIU\0\x18\0\0\0", "camera raw"),
        (b"II*\0\x10\0\0\0CR\2\0", "camera raw"),
        (tiff({254: 1, 256: 160, 257: 120, 330: 400}), "camera raw"),  # NEF, ARW: a preview
        (tiff({254: 0, 256: 9, 257: 9, 50706: 0x401}), "camera raw"),  # DNG
        (tiff({256: 9, 257: 9, 262: 32803}), "camera raw"),  # PEF: samples of the sensor
    ],
)
def test_unsupported_formats_are_named(data: bytes, name: str) -> None:
    assert sniff(data) is not None
    with pytest.raises(UnreadablePicture, match=f"^{name} files are not supported; "):
        require_format(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BMW is a maker of cars, not a picture.",
        b"P1 is the first of six.",
        b"P6",
        b"\0\0\1\0\0\0",
        b"\0\0\1\xba\x44\0\4\0",  # MPEG
        b"\0\0\2\0\1\0\x20\x20" + bytes(20),  # a cursor, nearly a TGA file
        bytes(64),
        b"\n\5\1\3",
        b"\1\xda\0\1",
        b"Hello",
    ],
)
def test_other_files_are_no_pictures(data: bytes) -> None:
    assert sniff(data) is None
    with pytest.raises(UnreadablePicture, match="not a picture"):
        require_format(data)


def test_videos_are_no_pictures() -> None:
    data = ftyp(b"isom", b"iso2", b"mp41")
    assert sniff(data) is None
    with pytest.raises(UnreadablePicture, match="video"):
        require_format(data)


@pytest.mark.parametrize("tags", [{254: 0, 330: 400}, {254: 1}, {262: 2}])
def test_a_tiff_with_other_pages_is_no_camera_raw(tags: dict[int, int]) -> None:
    assert require_format(tiff({256: 8, 257: 8} | tags)) is formats.TIFF


def test_extensions() -> None:
    assert {".jpg", ".heic", ".hif", ".avif", ".jp2", ".tiff", ".ico", ".nef", ".pdf"} < EXTENSIONS
    assert all(name.startswith(".") and name == name.lower() for name in EXTENSIONS)
    assert len(EXTENSIONS) == sum(len(kind.extensions) for kind in FORMATS)


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    for beginning in (b"", b"II*\0", b"\0\0\0\x18ftyp"):
        try:
            assert require_format(beginning + data).decoder is not None
        except UnreadablePicture as error:
            assert "; " in str(error)

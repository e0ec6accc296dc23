"""Pixels are compared with Pillow's, an independent reader of all these formats."""

from __future__ import annotations

import io
import os
import socket
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps, features

from image_gender_classifier.errors import Unfinished, UnreadablePicture, UsageError
from image_gender_classifier.imaging import decoding, memory_errors
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.settings import MAX_BYTES

WIDTH, HEIGHT = 64, 48


def make_colours(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A smooth picture without any symmetry, so that each wrong turn shows."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    red, green, blue = x * 255, y * y * 255, (1 - x) * (0.3 + 0.7 * y) * 255
    return np.dstack([red, green, blue]).astype(np.uint8)


COLOURS = make_colours()
ALPHA = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
RGB = Image.fromarray(COLOURS)
GREY = RGB.convert("L")
RGBA = Image.fromarray(np.dstack([COLOURS, ALPHA]))
GREY_ALPHA = Image.merge("LA", (GREY, Image.fromarray(ALPHA)))
PALETTE = RGB.quantize(32)


def encode(picture: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def as_seen(data: bytes) -> NDArray[np.uint8]:
    """Pillow's answer: first frame, upright, on white."""
    picture: Image.Image = Image.open(io.BytesIO(data))
    picture.load()  # which turns a TIFF
    if picture.format != "TIFF":
        picture = ImageOps.exif_transpose(picture)
    picture = picture.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"))


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    assert first.shape == second.shape
    return int(np.abs(first.astype(int) - second.astype(int)).max())


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[274] = orientation
    return block


def grey16(form: str, **options: Any) -> bytes:
    return encode(Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257), form, **options)


needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow does not read AVIF")
OPENCV = tuple(map(int, cv2.__version__.split(".")[:2]))


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        pytest.param(encode(RGB, "JPEG", quality=95), 2, id="jpeg"),
        pytest.param(encode(RGB, "JPEG", progressive=True), 2, id="jpeg-progressive"),
        pytest.param(encode(GREY, "JPEG"), 1, id="jpeg-grey"),
        pytest.param(encode(RGB.convert("CMYK"), "JPEG", quality=95), 3, id="jpeg-cmyk"),
        pytest.param(encode(RGB, "PNG"), 0, id="png"),
        pytest.param(encode(GREY, "PNG"), 0, id="png-grey"),
        pytest.param(encode(RGB.convert("1"), "PNG"), 0, id="png-1-bit"),
        pytest.param(encode(PALETTE, "PNG", bits=8), 0, id="png-palette"),
        pytest.param(encode(PALETTE, "PNG", transparency=3), 0, id="png-palette-trns"),
        pytest.param(encode(RGB, "PNG", transparency=(0, 0, 76)), 0, id="png-rgb-trns"),
        pytest.param(encode(RGBA, "PNG"), 1, id="png-rgba"),
        pytest.param(encode(GREY_ALPHA, "PNG"), 1, id="png-grey-alpha"),
        pytest.param(
            encode(RGB, "PNG", save_all=True, append_images=[RGB.rotate(180)]), 0, id="apng"
        ),
        pytest.param(
            encode(
                RGB, "PNG", save_all=True, append_images=[RGBA] * 2, default_image=True, blend=1
            ),
            0,
            id="apng-default",
        ),
        pytest.param(encode(RGB, "WEBP"), 2, id="webp"),
        pytest.param(encode(RGBA, "WEBP"), 3, id="webp-lossy-alpha"),
        pytest.param(encode(RGBA, "WEBP", lossless=True, exact=True), 1, id="webp-alpha"),
        pytest.param(encode(RGB, "BMP"), 0, id="bmp"),
        pytest.param(encode(PALETTE, "BMP"), 0, id="bmp-palette"),
        pytest.param(encode(RGB.convert("1"), "BMP"), 0, id="bmp-1-bit"),
        pytest.param(encode(RGB, "TIFF"), 0, id="tiff"),
        pytest.param(encode(RGB, "TIFF", big_tiff=True), 0, id="tiff-big"),
        pytest.param(encode(GREY, "TIFF"), 0, id="tiff-grey"),
        pytest.param(encode(RGB.convert("1"), "TIFF", compression="group4"), 0, id="tiff-fax"),
        pytest.param(encode(PALETTE, "TIFF"), 0, id="tiff-palette"),
        pytest.param(encode(RGBA, "TIFF"), 2, id="tiff-rgba"),
        pytest.param(encode(RGB, "TIFF", compression="tiff_lzw"), 0, id="tiff-lzw"),
        pytest.param(encode(RGB.convert("CMYK"), "TIFF"), 1, id="tiff-cmyk"),
        pytest.param(encode(RGB, "TIFF", save_all=True, append_images=[GREY]), 0, id="tiff-pages"),
        pytest.param(encode(GREY_ALPHA, "TIFF"), 1, id="tiff-grey-alpha"),
        pytest.param(encode(RGB, "TIFF", compression="jpeg", quality=95), 2, id="tiff-jpeg"),
        pytest.param(encode(PALETTE, "GIF"), 0, id="gif"),
        pytest.param(encode(PALETTE, "GIF", transparency=3), 0, id="gif-trns"),
        pytest.param(
            encode(RGB, "GIF", save_all=True, append_images=[RGB.rotate(90)]),
            0,
            id="gif-animated",
        ),
        pytest.param(encode(RGB, "ICO", sizes=[(48, 36)]), 0, id="ico"),
        pytest.param(encode(RGB, "JPEG2000"), 0, id="jpeg2000"),
        pytest.param(encode(RGBA, "JPEG2000"), 1, id="jpeg2000-alpha"),
        pytest.param(encode(GREY, "JPEG2000", no_jp2=True), 0, id="jpeg2000-codestream"),
        pytest.param(encode(RGB, "PPM"), 0, id="ppm"),
        pytest.param(encode(GREY, "PPM"), 0, id="pgm"),
        pytest.param(encode(RGB.convert("1"), "PPM"), 0, id="pbm"),
        pytest.param(encode(RGB, "PCX"), 0, id="pcx"),
        pytest.param(encode(PALETTE, "PCX"), 0, id="pcx-palette"),
        pytest.param(encode(RGB, "SGI"), 0, id="sgi"),
        pytest.param(encode(RGB, "TGA"), 0, id="tga"),
        pytest.param(encode(RGBA, "TGA", compression="tga_rle"), 1, id="tga-alpha"),
        pytest.param(encode(PALETTE, "TGA"), 0, id="tga-palette"),
        pytest.param(
            encode(RGBA, "WEBP", save_all=True, append_images=[RGBA.rotate(90)], lossless=True),
            1,
            id="webp-animated",
            marks=pytest.mark.skipif(OPENCV < (4, 11), reason="needs 4.11"),
        ),
    ],
)
def test_pixels_are_what_a_person_sees(data: bytes, tolerance: int) -> None:
    picture = decoding.decode(data)
    assert picture.pixels.dtype == np.uint8 and picture.pixels.flags.c_contiguous
    seen = as_seen(data)
    assert (picture.height, picture.width, picture.scale) == (*seen.shape[:2], 1.0)
    assert difference(picture.pixels, seen) <= tolerance


@needs_avif
@pytest.mark.parametrize("picture", [RGB, RGBA], ids=["opaque", "alpha"])
def test_avif(picture: Image.Image) -> None:
    data = encode(picture, "AVIF", quality=95)
    assert difference(decoding.decode(data).pixels, as_seen(data)) <= 1


@pytest.mark.parametrize("picture", [RGB, RGBA, GREY], ids=["opaque", "alpha", "grey"])
def test_heic(picture: Image.Image) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    data = encode(picture, "HEIF", quality=95)
    assert difference(decoding.decode(data).pixels, as_seen(data)) <= 1


def on_white(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = alpha[..., None] / 255
    return np.round(colours * share + 255 * (1 - share)).astype(np.uint8)


def test_16_bits() -> None:
    """Pillow clips these instead of scaling them, so it cannot be the judge here."""
    grey = np.asarray(GREY.convert("RGB"))
    for form in ("PNG", "TIFF"):
        assert difference(decoding.decode(grey16(form)).pixels, grey) == 0
    deep = np.dstack([COLOURS[..., ::-1], ALPHA]).astype(np.uint16) * 257
    data = cv2.imencode(".png", deep)[1].tobytes()
    assert difference(decoding.decode(data).pixels, on_white(COLOURS, ALPHA)) <= 1
    data = cv2.imencode(".tif", deep[..., :3])[1].tobytes()
    assert difference(decoding.decode(data).pixels, COLOURS) == 0


def make_tiff(
    samples: NDArray[Any],
    kind: int,
    extra: int | None = None,
    orientation: int = 1,
    planes: bool = False,
) -> bytes:
    """An RGB or grey TIFF of any sample type; kind: 1 unsigned, 3 float."""
    samples = samples.reshape(*samples.shape[:2], -1)
    height, width, channels = samples.shape
    data = (samples.transpose(2, 0, 1) if planes else samples).tobytes()
    bits = [samples.dtype.itemsize * 8] * channels
    tags = {256: [width], 257: [height], 258: bits, 259: [1], 262: [2 if channels > 2 else 1]}
    tags |= {273: [8], 274: [orientation], 277: [channels], 278: [height], 279: [len(data)]}
    tags |= {339: [kind] * channels} | ({} if extra is None else {338: [extra]})
    if planes:
        size = len(data) // channels
        strips = [8 + size * plane for plane in range(channels)]
        tags |= {273: strips, 279: [size] * channels, 284: [2]}
    at = 8 + len(data)
    tail_at, entries, tail = at + 6 + 12 * len(tags), b"", b""
    for tag, values in sorted(tags.items()):
        code, number = ("I", 4) if tag in (273, 279) else ("H", 3)
        packed = struct.pack(f"<{len(values)}{code}", *values)
        entries += struct.pack("<HHI", tag, number, len(values))
        entries += packed.ljust(4, b"\0") if len(packed) <= 4 else b""
        if len(packed) > 4:
            entries += struct.pack("<I", tail_at + len(tail))
            tail += packed
    ifd = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", at) + data + ifd + tail


@pytest.mark.parametrize(("extra", "depth"), [(1, 1), (2, 1), (1, 257), (2, 257)])
def test_tiff_alpha_multiplied_or_not(extra: int, depth: int) -> None:
    share = ALPHA[..., None] / 255 if extra == 1 else 1
    colours = np.round(COLOURS.astype(float) * share)
    samples = (np.dstack([colours, ALPHA]) * depth).astype("<u1" if depth == 1 else "<u2")
    seen = decoding.decode(make_tiff(samples, 1, extra)).pixels
    assert difference(seen, on_white(COLOURS, ALPHA)) <= 2


def test_float_tiff() -> None:
    grey = np.asarray(GREY).astype("<f4")
    for samples in (grey / 255, grey):
        seen = decoding.decode(make_tiff(samples, 3)).pixels
        assert difference(seen, np.asarray(GREY.convert("RGB"))) <= 1
    samples[0, 0] = np.nan
    assert decoding.decode(make_tiff(samples, 3)).pixels[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("samples", "kind", "named"),
    [
        (np.asarray(GREY).astype("<u4"), 1, "32-bit integers"),
        (np.asarray(GREY).astype("<f8"), 3, "1 x 64 floating-point bits"),
        (COLOURS.astype("<f4"), 3, "3 x 32 floating-point bits"),
    ],
    ids=["integers", "doubles", "colours"],
)
def test_a_tiff_of_a_rare_kind_is_refused(samples: NDArray[Any], kind: int, named: str) -> None:
    with pytest.raises(UnreadablePicture, match=f"TIFF .{named}"):
        decoding.decode(make_tiff(samples, kind))


def test_a_negative_of_16_bits() -> None:
    grey = 255 - np.asarray(GREY)
    data = make_tiff(grey.astype("<u2") * 257, 1)
    at = data.index(struct.pack("<HHIH", 262, 3, 1, 1))
    data = data[: at + 8] + b"\0" + data[at + 9 :]
    assert difference(decoding.decode(data).pixels, np.asarray(GREY.convert("RGB"))) == 0


@pytest.mark.parametrize("depth", [1, 257])
def test_tiff_in_planes(depth: int) -> None:
    samples = COLOURS.astype("<u1" if depth == 1 else "<u2") * depth
    data = make_tiff(samples, 1, planes=True)
    assert difference(decoding.decode(data).pixels, COLOURS) == 0


def test_bmp_with_alpha() -> None:
    header = struct.pack("<IiiHHIIiiII", 108, WIDTH, -HEIGHT, 1, 32, 3, 0, 0, 0, 0, 0)
    header += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(52)
    rows = np.dstack([COLOURS[..., ::-1], ALPHA]).tobytes()
    data = b"BM" + struct.pack("<IHHI", 122 + len(rows), 0, 0, 122) + header + rows
    assert difference(decoding.decode(data).pixels, on_white(COLOURS, ALPHA)) <= 1


def test_32_bit_bmp_without_a_mask_is_opaque() -> None:
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, -HEIGHT, 1, 32, 0, 0, 0, 0, 0, 0)
    rows = np.dstack([COLOURS[..., ::-1], ALPHA * 0]).tobytes()
    data = b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows
    assert difference(decoding.decode(data).pixels, COLOURS) == 0


def test_interlaced_png() -> None:
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)]
    passes += [(0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b"".join(
        b"\0" + row.tobytes() for x, y, dx, dy in passes for row in COLOURS[y::dy, x::dx]
    )

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    data = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 1)
    )
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert difference(decoding.decode(data).pixels, COLOURS) == 0


def test_gif_frame_smaller_than_its_canvas() -> None:
    data = bytearray(encode(PALETTE, "GIF"))
    data[6:10] = struct.pack("<HH", WIDTH + 10, HEIGHT + 4)
    picture = decoding.decode(bytes(data))
    assert (picture.width, picture.height) == (WIDTH + 10, HEIGHT + 4)
    assert difference(picture.pixels, as_seen(bytes(data))) == 0


def test_ycck_jpeg() -> None:
    """A CMYK JPEG's Adobe segment is changed to say YCCK; Pillow and OpenCV must agree on it."""
    data = encode(RGB.convert("CMYK"), "JPEG", quality=95)
    at = data.index(b"Adobe")
    data = data[: at + 11] + b"\x02" + data[at + 12 :]
    assert difference(decoding.decode(data).pixels, as_seen(data)) <= 3


@pytest.mark.parametrize("side", [16, 640], ids=["reduced", "whole"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "form",
    [
        *("JPEG", "PNG", "PNG-alpha", "WEBP", "TIFF", "TIFF-grey16", "TIFF-tiles"),
        pytest.param("AVIF", marks=needs_avif),
    ],
)
def test_orientation_is_applied_once(form: str, orientation: int, side: int) -> None:
    tags = {274: orientation}
    if form == "TIFF-grey16":
        data, seen = grey16("TIFF", tiffinfo=tags), as_seen(encode(GREY, "TIFF", tiffinfo=tags))
    else:
        name, _, variant = form.partition("-")
        options: dict[str, Any] = {"exif": exif(orientation)}
        if name == "TIFF":
            tiles = {322: 16, 323: 16} if variant == "tiles" else {}
            options = {"tiffinfo": tags | tiles}
        data = encode(RGBA if variant == "alpha" else RGB, name, **options)
        seen = as_seen(data)
    picture = decoding.decode(data, side)
    assert (picture.height, picture.width) == seen.shape[:2]
    size = picture.pixels.shape[1::-1]
    assert max(size) == min(side, WIDTH)
    seen = np.asarray(Image.fromarray(seen).resize(size, Image.Resampling.BOX))
    assert difference(picture.pixels, seen) <= 10


def test_orientation_of_a_float_tiff() -> None:
    data = make_tiff((np.asarray(GREY) / 255).astype("<f4"), 3, orientation=6)
    upright = np.asarray(GREY.rotate(-90, expand=True).convert("RGB"))
    assert difference(decoding.decode(data).pixels, upright) <= 1


@pytest.mark.parametrize(
    ("form", "width", "height", "longest"),
    [
        ("JPEG", 199, 99, 199),
        ("JPEG", 200, 100, 100),
        ("JPEG", 398, 150, 199),
        ("JPEG", 150, 796, 199),
        ("JPEG", 801, 100, 101),
        ("JPEG", 1605, 100, 100),
        ("PNG", 199, 99, 199),
        ("PNG", 200, 100, 100),
        ("PNG", 90, 1000, 100),
        ("PNG", 2000, 1, 100),
    ],
)
def test_working_size(form: str, width: int, height: int, longest: int) -> None:
    colours = make_colours(width, height)
    picture = decoding.decode(encode(Image.fromarray(colours), form), working_side=100)
    assert (picture.width, picture.height) == (width, height)
    assert max(picture.pixels.shape) == longest
    assert picture.scale == max(width, height) / longest
    size = picture.pixels.shape[1::-1]
    box = np.asarray(Image.fromarray(colours).resize(size, Image.Resampling.BOX))
    assert np.abs(picture.pixels.astype(int) - box).mean() < 4


FORMS = ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "ICO", "JPEG2000", "PPM", "PCX", "SGI", "TGA"]
ALL_FORMS = [*FORMS, pytest.param("AVIF", marks=needs_avif)]


@pytest.mark.parametrize("form", ALL_FORMS)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.7, 0.95])
def test_what_breaks_off_is_refused(form: str, share: float, capfd: Any) -> None:
    data = encode(RGB, form)
    with pytest.raises(UnreadablePicture) as caught:
        decoding.decode(data[: int(len(data) * share)])
    assert "; " in str(caught.value)
    if OPENCV >= (4, 11):  # before, OpenCV writes some errors past its own log
        assert "OpenCV" not in capfd.readouterr().err


def test_every_broken_jpeg_2000_is_refused() -> None:
    """OpenJPEG reads a file that ends before its first pixel as a black picture."""
    data = encode(RGB, "JPEG2000")
    for length in range(len(data)):
        with pytest.raises(UnreadablePicture):
            decoding.decode(data[:length])


@pytest.mark.parametrize(
    ("form", "options", "most"),
    [
        ("JPEG", {"quality": 95}, 2),
        ("JPEG", {"quality": 10, "subsampling": 2, "optimize": True}, 2),
        ("JPEG", {"progressive": True}, 2),
        ("JPEG", {"restart_marker_blocks": 2}, 2),
        ("PNG", {}, 16),
        ("GIF", {}, 1),
    ],
)
def test_a_file_without_its_last_bytes_is_read(
    form: str, options: dict[str, Any], most: int
) -> None:
    data = encode(RGB, form, **options)
    whole = decoding.decode(data).pixels
    for missing in range(1, most + 1):
        assert difference(decoding.decode(data[:-missing]).pixels, whole) == 0, missing


@pytest.mark.parametrize("missing", [4, 6, 8, 12, 40])
@pytest.mark.parametrize("quality", [10, 60, 95])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_last_pixels_is_refused(
    missing: int, quality: int, progressive: bool
) -> None:
    options = {"quality": quality, "progressive": progressive, "optimize": True}
    data = encode(RGB.resize((200, 150)), "JPEG", subsampling=2, **options)
    with pytest.raises(UnreadablePicture, match="truncated"):
        decoding.decode(data[:-missing])


def test_a_progressive_jpeg_without_its_last_scan_is_refused() -> None:
    data = encode(RGB, "JPEG", progressive=True)
    table = data.rindex(b"\xff\xc4")  # of the last scan
    with pytest.raises(UnreadablePicture, match="truncated"):
        decoding.decode(data[:table])


def test_jpeg_that_breaks_off_behind_a_thumbnail_is_refused() -> None:
    block = exif(1).tobytes() + encode(RGB.resize((16, 12)), "JPEG")
    data = encode(RGB, "JPEG", exif=block)
    assert decoding.decode(data).width == WIDTH
    with pytest.raises(UnreadablePicture, match="truncated"):
        decoding.decode(data[:-200])


@pytest.mark.parametrize("form", ALL_FORMS)
def test_trailing_junk_does_no_harm(form: str) -> None:
    data = encode(RGB, form)
    assert (
        difference(decoding.decode(data + b"junk" * 99).pixels, decoding.decode(data).pixels) == 0
    )


def test_arrays() -> None:
    grey = np.asarray(GREY)
    three = np.asarray(GREY.convert("RGB"))
    assert difference(decoding.from_array(grey).pixels, three) == 0
    assert difference(decoding.from_array(grey[..., None]).pixels, three) == 0
    assert decoding.from_array(COLOURS).pixels is COLOURS
    assert difference(decoding.from_array(COLOURS[:, ::-1]).pixels, COLOURS[:, ::-1]) == 0
    seen = decoding.from_array(np.asarray(RGBA)).pixels
    assert difference(seen, on_white(COLOURS, ALPHA)) <= 1
    assert difference(COLOURS, make_colours()) == 0  # nothing was overwritten
    small = decoding.from_array(COLOURS, working_side=16)
    assert small.pixels.shape == (12, 16, 3) and small.scale == 4.0


@pytest.mark.parametrize(
    "pixels",
    [COLOURS / 255, COLOURS[:0], COLOURS[..., :2], COLOURS[None], np.uint8(3)],
    ids=["float", "empty", "two channels", "batch", "number"],
)
def test_arrays_that_are_no_picture(pixels: Any) -> None:
    with pytest.raises(UsageError, match="uint8"):
        decoding.from_array(pixels)


@pytest.mark.parametrize("name", ["misnamed.png", "ümläut 人.jpg", b"not-utf8-\xff\xe9.jpg"])
def test_names_do_not_matter(tmp_path: Path, name: str | bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(encode(RGB, "JPEG"))
    assert decoding.read(path).width == WIDTH


def test_large_files_are_read_whole(tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (600, 800, 3), np.uint8)
    path = tmp_path / "noise.png"
    path.write_bytes(encode(Image.fromarray(noise), "PNG"))
    assert path.stat().st_size > 2**20
    assert difference(decoding.read(path).pixels, noise) == 0


def test_paths_that_are_no_picture(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("hello " * 30_000)
    os.mkfifo(tmp_path / "pipe.jpg")
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with (tmp_path / "absurd.png").open("wb") as file:
        file.write(
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 2**17, 2**17, 8, 2, 0, 0, 0)
        )
        file.truncate(MAX_BYTES)
    cases = {
        tmp_path / "empty.jpg": "empty",
        tmp_path / "text.jpg": "not a picture",
        tmp_path / "pipe.jpg": "regular file",
        tmp_path / "huge.jpg": "more than the limit of 536,870,912",
        tmp_path / "absurd.png": "131072 x 131072 pixels",
        tmp_path: "folder",
        tmp_path / "gone.jpg": "no such file",
        tmp_path / "text.jpg" / "below.jpg": "no such file",
        tmp_path / ("long" * 99): "the file cannot be read",
        tmp_path / "nul\0.jpg": "the file cannot be read",
        Path("/dev/null"): "regular file",
    }
    for path, message in cases.items():
        with pytest.raises(UnreadablePicture, match=message) as caught:
            decoding.read(path)
        assert str(tmp_path) not in str(caught.value) and "; " in str(caught.value)


def test_sockets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.jpg")
        with pytest.raises(UnreadablePicture, match="regular file"):
            decoding.read(Path("s.jpg"))


def test_denied_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # the tests may run as root, who may read all
    with pytest.raises(UnreadablePicture, match="permission"):
        decoding.read(tmp_path / "secret.jpg")


def test_short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV returns nothing for lack of memory, as for a corrupt file."""
    data = encode(RGB, "PNG")
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    with pytest.raises(UnreadablePicture, match="corrupt"):
        decoding.decode(data)
    monkeypatch.setattr(memory_errors, "is_memory_available", lambda _: False)
    with pytest.raises(Unfinished, match="memory"):
        decoding.decode(data)


DAMAGEABLE = [encode(RGB, form) for form in FORMS]
if features.check("avif"):
    DAMAGEABLE.append(encode(RGB, "AVIF"))
with suppress(ImportError):
    import pillow_heif

    pillow_heif.register_heif_opener()
    DAMAGEABLE.append(encode(RGB, "HEIF"))
DAMAGEABLE += [encode(RGBA, form) for form in ("PNG", "WEBP", "TIFF")]


@given(st.sampled_from(DAMAGEABLE), st.data())
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_damage_gives_a_picture_or_a_message(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(0, len(data) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    try:
        picture = decoding.decode(bytes(damaged), limits=Limits(pixels=2**22))  # to be fast
    except UnreadablePicture as error:
        assert "; " in str(error)
    else:
        assert picture.pixels.ndim == 3 and max(picture.pixels.shape) < 2 * decoding.WORKING_SIDE

"""Files that claim to be huge, or make a decoder go round and round, are refused at once."""

from __future__ import annotations

import io
import os
import resource
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

import image_gender_classifier as igc
from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.imaging import decoding, headers
from image_gender_classifier.imaging.formats import (
    AVIF,
    HEIC,
    JPEG,
    JPEG_2000,
    PNG,
    Format,
    require_format,
)
from image_gender_classifier.imaging.headers import Header
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS, Limits
from image_gender_classifier.imaging.plugins import PLUGINS
from image_gender_classifier.settings import MAX_JPEG_PIXELS, MAX_PIXELS

Command = Callable[..., CompletedProcess[str]]

SIDE = 60_000


def read_header(data: bytes) -> Header:
    return headers.read_header(data, require_format(data))


def encode(form: str, side: int = 8, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side)).save(file, form, **options)
    return file.getvalue()


def png_bomb() -> bytes:
    size = struct.pack(">II", SIDE, SIDE)
    ihdr = b"IHDR" + size + bytes([8, 2, 0, 0, 0])
    data = encode("PNG")
    return data[:12] + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + data[33:]


def jpeg_bomb() -> bytes:
    data = bytearray(encode("JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", SIDE, SIDE)
    return bytes(data)


def gif_bomb() -> bytes:
    data = encode("GIF", mode="P")
    return data[:6] + struct.pack("<HH", SIDE, SIDE) + data[10:]


def bmp_bomb() -> bytes:
    data = encode("BMP")
    return data[:18] + struct.pack("<ii", SIDE, SIDE) + data[26:]


def jpeg_2000_bomb() -> bytes:
    data = bytearray(encode("JPEG2000", no_jp2=True))
    at = data.index(b"\xff\x51")
    struct.pack_into(">II", data, at + 6, SIDE, SIDE)
    return bytes(data)


def ppm_bomb() -> bytes:
    return b"P6 60000 60000 255\n" + bytes(100)


def many_frames(count: int) -> bytes:
    data = encode("GIF", mode="P")
    at = data.index(b",")
    return data[:at] + data[at:-1] * count + b";"


def many_scans(count: int, side: int = 512) -> bytes:
    """A JPEG whose last scan comes again and again."""
    data = encode("JPEG", side, progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def long_chunk() -> bytes:
    """A PNG with a chunk that claims to be of 2 GiB."""
    data = bytearray(encode("PNG"))
    struct.pack_into(">I", data, data.index(b"IDAT") - 4, 2**31 - 1)
    return bytes(data)


def large_tile() -> bytes:
    """A small TIFF in one tile of 2^15 x 2^15 pixels."""
    tags = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 277: 1, 322: 2**15, 323: 2**15, 324: 8, 325: 64}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def long_chunk_behind_the_end() -> bytes:
    """A PNG without pixels, and behind its end a chunk that claims to be of 1 GiB."""
    whole = long_chunk()
    header, end = whole[:33], struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
    return header + end + struct.pack(">I4s", 2**30, b"tRNS") + bytes(50)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (png_bomb(), r"60000 x 60000 pixels, more than the limit of 67,108,864.*--max-pixels"),
        (jpeg_bomb(), r"60000 x 60000 pixels, more than the limit of 268,435,456.*--max-pixels"),
        *(
            (bomb, r"60000 x 60000 pixels.*, more than the limit of 67,108,864.*--max-pixels")
            for bomb in (gif_bomb(), bmp_bomb(), jpeg_2000_bomb(), ppm_bomb())
        ),
        (many_scans(20_000), r"20,01\d scans of 262,144 pixels.*--max-pixels"),
        (large_tile(), "a tile is far larger than the picture"),
        (long_chunk_behind_the_end(), "truncated"),
    ],
    ids=[
        "PNG",
        "JPEG",
        "GIF",
        "BMP",
        "JPEG 2000",
        "PPM",
        "scans",
        "tile",
        "chunk behind the end",
    ],
)
def test_bombs_are_refused_with_the_limit_named(data: bytes, said: str) -> None:
    with pytest.raises(UnreadablePicture, match=said):
        decoding.decode(data)


def test_a_png_with_a_chunk_too_long_for_the_file_is_read() -> None:
    """OpenCV would allocate 2 GiB for it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert decoding.decode(long_chunk()).width == 8
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


def test_a_large_bomb_is_refused_by_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.write(png_bomb())
        file.truncate(2**28)
    with pytest.raises(UnreadablePicture, match="--max-pixels"):
        decoding.read(path)


def test_sizes_up_to_the_limit_are_read() -> None:
    DEFAULT_LIMITS.check_size(Header(PNG, 2**13, MAX_PIXELS // 2**13))
    DEFAULT_LIMITS.check_size(Header(JPEG, 2**14, MAX_JPEG_PIXELS // 2**14))
    DEFAULT_LIMITS.check_size(Header(JPEG, 2**13, MAX_PIXELS // 2**13, multi_scan=True))
    for header in (
        Header(PNG, 2**13 + 1, MAX_PIXELS // 2**13),
        Header(JPEG, 2**14 + 1, MAX_JPEG_PIXELS // 2**14),
        Header(JPEG, 2**13 + 1, MAX_PIXELS // 2**13, multi_scan=True),
    ):
        with pytest.raises(UnreadablePicture, match="--max-pixels"):
            DEFAULT_LIMITS.check_size(header)


def test_a_limit_of_ones_own() -> None:
    Limits(pixels=100).check_size(Header(JPEG, 10, 10))
    with pytest.raises(UnreadablePicture, match="more than the limit of 100; "):
        Limits(pixels=100).check_size(Header(JPEG, 101, 1))
    Limits(file_bytes=10).check_bytes(10)
    with pytest.raises(
        UnreadablePicture, match=r"11 bytes, more than the limit of 10 .*--max-bytes"
    ):
        Limits(file_bytes=10).check_bytes(11)


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_multi_scan_jpeg_is_recognised(progressive: bool) -> None:
    header = read_header(encode("JPEG", progressive=progressive))
    assert header.multi_scan is progressive


def test_only_the_first_of_many_frames_is_decoded() -> None:
    one, many = many_frames(1), many_frames(200_000)
    assert decoding.decode(many).pixels.tolist() == decoding.decode(one).pixels.tolist()


@pytest.mark.parametrize("limits", [{"max_pixels": 0}, {"max_pixels": 2**31}, {"max_bytes": 0}])
def test_impossible_limits_are_a_usage_error(limits: dict[str, Any]) -> None:
    (name,) = limits
    with pytest.raises(UsageError, match=f"{name} is .*, but must be"):
        igc.load(**limits)


def test_limits_hold_for_paths_and_bytes(face_picture: Path) -> None:
    small = igc.load(max_pixels=1000)
    for picture in (face_picture, face_picture.read_bytes()):
        prediction = small.classify(picture)
        assert prediction.status == "unreadable" and "--max-pixels" in (prediction.message or "")
    few = igc.load(max_bytes=1000)
    assert "(--max-bytes, in Python max_bytes)" in (few.classify(face_picture).message or "")
    assert igc.load(max_pixels=2**30).classify(face_picture).faces


def test_the_command_refuses_bombs_and_goes_on(
    command: Command, face_picture: Path, tmp_path: Path, out: Path
) -> None:
    folder = tmp_path / "bombs"
    folder.mkdir()
    (folder / "png.png").write_bytes(png_bomb())
    (folder / "jpeg.jpg").write_bytes(jpeg_bomb())
    (folder / "gif.gif").write_bytes(gif_bomb())
    with (folder / "sparse.jpg").open("wb") as file:
        file.truncate(2**31)
    (folder / "zero.jpg").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "real.jpg").write_bytes(face_picture.read_bytes())
    ended = command("-i", folder, "-o", out)
    assert ended.returncode == 1
    assert "2 other files ignored" in ended.stdout  # the pipe and the device
    images = {path.stem: ElementTree.parse(path).getroot() for path in out.iterdir()}
    named = {name: image.get("message", "") for name, image in images.items()}
    assert len(images.pop("real")) == 1
    assert {image.get("status") for image in images.values()} == {"unreadable"}
    assert "--max-pixels" in named["png"] and "--max-pixels" in named["jpeg"]
    assert "--max-bytes" in named["sparse"] and "--max-pixels" in named["gif"]


def test_another_limit_keeps_no_verdict(command: Command, folder: Path, out: Path) -> None:
    assert command("-i", folder, "-o", out, "--max-pixels", 1000).returncode == 1
    assert "3 unreadable" not in command("-i", folder, "-o", out, "--resume").stdout
    again = command("-i", folder, "-o", out, "--resume", "--max-bytes", 1000)
    assert "kept" not in again.stdout and "3 unreadable" in again.stdout


def tiff_of_16_bits(width: int, height: int) -> bytes:
    """An RGB TIFF without pixels."""
    tags = {256: width, 257: height, 258: 16, 262: 2, 273: 8, 277: 3, 278: height, 279: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def run_length_bitmap(width: int, height: int, runs: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    palette = bytes(4 * 256)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(palette)) + header + palette + runs


@pytest.mark.parametrize(
    "data",
    [
        run_length_bitmap(64, 64, b"\0\2\0\0" * 2**18),  # moves by nothing
        run_length_bitmap(2000, 2000, b"\1\1" * 2**21),
        run_length_bitmap(8000, 8000, b"\0\0" * 8000),
    ],
    ids=["moves", "bytes", "pixels"],
)
def test_run_lengths_that_take_long_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadablePicture, match=r"run lengths .* save it as PNG"):
        decoding.decode(data)


def test_honest_run_lengths_are_read() -> None:
    rows = (b"\1\1" * 512 + b"\0\0") * 512
    assert decoding.decode(run_length_bitmap(512, 512, rows + b"\0\1")).width == 512


def animated_webp() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    return file.getvalue()


def png_of_16_bits(colour: int) -> bytes:
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", 8, 8, 16, colour, 0, 0, 0)
    data = encode("PNG")
    return data[:12] + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + data[33:]


@pytest.mark.parametrize(
    ("data", "weight"),
    [
        *((encode("JPEG"), 1), (encode("PNG", mode="RGBA"), 1), (encode("WEBP"), 1)),
        *((animated_webp(), 3), (png_of_16_bits(2), 1), (png_of_16_bits(6), 2)),
    ],
)
def test_pixels_count_by_the_memory_they_take(data: bytes, weight: int) -> None:
    assert read_header(data).memory_factor == weight


@pytest.mark.parametrize(
    ("data", "factor"),
    [
        *((encode("TIFF", 16, mode), 1) for mode in ("1", "L", "RGB", "RGBA", "CMYK", "F", "I;16")),
        *((encode("JPEG2000", 16), 2), (encode("GIF", 16), 1), (encode("BMP", 16), 1)),
    ],
)
def test_pixels_of_other_formats_count_by_the_memory_they_take(data: bytes, factor: int) -> None:
    decoding.decode(data, limits=Limits(pixels=256 * factor))
    with pytest.raises(UnreadablePicture, match="--max-pixels"):
        decoding.decode(data, limits=Limits(pixels=256 * factor - 1))


def test_a_large_file_of_a_small_picture_fits_into_the_memory(
    command: Command, tmp_path: Path, out: Path
) -> None:
    (tmp_path / "in").mkdir()
    with (tmp_path / "in" / "a.bmp").open("wb") as file:
        file.write(encode("BMP", 300))
        file.truncate(400 * 2**20)
    ended = command("-i", tmp_path / "in", "-o", out, "--max-pixels", 2**24)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("kind", "width", "height"),
    [(HEIC, 8064, 6048), (HEIC, 8160, 6120), (AVIF, 8160, 6120), (JPEG_2000, 6000, 4000)],
)
def test_pictures_of_usual_cameras_are_within_the_limits(
    kind: Format, width: int, height: int
) -> None:
    factor = PLUGINS[kind].memory_factor
    DEFAULT_LIMITS.check_size(Header(kind, width, height, memory_factor=factor))


def test_a_tall_picture_of_many_bits_is_refused() -> None:
    with pytest.raises(
        UnreadablePicture,
        match=r"which take the memory of 2 times as many, more than the limit of 67,108,864; ",
    ):
        decoding.decode(tiff_of_16_bits(64, 2**20))

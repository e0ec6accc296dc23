"""Folders with pictures of many formats, through the command and the Python API."""

from __future__ import annotations

import io
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, features

import image_gender_classifier as igc
from image_gender_classifier.imaging import decoding

Command = Callable[..., CompletedProcess[str]]


def encode(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def raw_with_preview(preview: Image.Image) -> bytes:
    """A camera raw file as NEF and ARW: a TIFF whose first page is a preview."""
    data = bytearray(encode(preview, "TIFF", tiffinfo={254: 1}))
    entries = struct.unpack_from("<I", data, 4)[0] + 2
    last = entries + 12 * (struct.unpack_from("<H", data, entries - 2)[0] - 1)
    struct.pack_into("<HHII", data, last, 330, 4, 1, 8)
    return bytes(data)


@pytest.fixture
def mixed(tmp_path: Path, face_picture: Path) -> Path:
    """A folder with the same face in many formats, and files that cannot be read."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    with Image.open(face_picture) as picture:
        jpeg = encode(picture, "JPEG", quality=95)
        files = {
            "jpeg.jpg": jpeg,
            "no-end-mark.jpg": jpeg[:-2],
            "tiff.tif": encode(picture, "TIFF", tiffinfo={322: 256, 323: 256}),
            "turned.tiff": encode(picture.rotate(90, expand=True), "TIFF", tiffinfo={274: 6}),
            "jp2.jp2": encode(picture, "JPEG2000"),
            "bmp.dat": encode(picture, "BMP"),  # recognised by its content
            "preview.nef": raw_with_preview(picture),
            "preview.jpg": raw_with_preview(picture),
        }
        if features.check("avif"):
            files["avif.jpg"] = encode(picture, "AVIF", quality=95)
    files |= {"a.jxl": b"\xff\x0a" + bytes(99), "letter.pdf": b"%PDF-1.7\n", "empty.HIF": b""}
    files["notes.txt"] = b"text"
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_every_format_gives_the_same_face(mixed: Path) -> None:
    predictions = {each.file: each for each in igc.load(threshold=0.5).classify_folder(mixed)}
    plain = predictions["jpeg.jpg"]
    for name in ("no-end-mark.jpg", "tiff.tif", "turned.tiff", "jp2.jp2", "bmp.dat", "avif.jpg"):
        if name in predictions:
            other = predictions[name]
            assert (other.status, other.gender) == (plain.status, plain.gender), name
            gaps = [abs(a - b) for a, b in zip(plain.faces[0].box, other.faces[0].box, strict=True)]
            assert max(gaps) <= 8, name


def test_unsupported_formats_are_reported(mixed: Path, command: Command, out: Path) -> None:
    ended = command("-i", mixed, "-o", out)
    assert ended.returncode == 1
    assert "1 other file ignored" in ended.stdout
    messages = {
        image.get("file"): image.get("message", "")
        for image in (ElementTree.parse(path).getroot() for path in out.iterdir())
    }
    assert messages["preview.nef"].startswith("camera raw files are not supported")
    assert messages["preview.jpg"] == messages["preview.nef"]
    assert messages["a.jxl"].startswith("JPEG XL files are not supported")
    assert messages["letter.pdf"].startswith("PDF files are not supported")
    assert "empty" in messages["empty.HIF"]


REFUSED = {"planes-float32.tif": "3 x 32 floating-point bits in planes"}
GREY = "tiled-grey16-256.tif"  # the top left of the picture, which the model is not sure of


def test_pictures_of_bug_reports(shared: Path) -> None:
    """All show the same picture; those in REFUSED are of a kind that is not supported."""
    folder = shared / "cases" / "pictures"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    for prediction in igc.load(threshold=0.5).classify_folder(folder):
        if prediction.file in REFUSED:
            assert prediction.status == "unreadable"
            assert REFUSED[prediction.file] in (prediction.message or "")
            continue
        if prediction.file == GREY:
            pixels = decoding.read(folder / GREY).pixels
            with Image.open(folder / "00-plain.png") as plain:
                grey = np.asarray(plain.convert("L"))[:500, :500]
            assert np.abs(pixels.astype(int) - grey[..., None]).max() <= 1
            continue
        assert prediction.gender == "female", prediction
        box = prediction.faces[0].box
        assert all(
            abs(have - want) <= 8 for have, want in zip(box, (165, 67, 119, 119), strict=True)
        ), prediction


def test_files_of_cameras(shared: Path, tmp_path: Path) -> None:
    folder = shared / "cases" / "mac-and-camera"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    for name in ("anna.jpg", "DSC1.jpg", "DSC1.nef", "IMG_2.HIF"):
        shutil.copy(folder / name, tmp_path)
    predictions = {each.file: each for each in igc.load(threshold=0.5).classify_folder(tmp_path)}
    assert {name for name, each in predictions.items() if each.gender == "female"} == {
        "anna.jpg",
        "DSC1.jpg",
    }
    assert "camera raw" in (predictions["DSC1.nef"].message or "")
    assert "HEIC" in (predictions["IMG_2.HIF"].message or "")

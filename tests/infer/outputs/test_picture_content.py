"""The identity of a picture: what a person sees counts, other metadata do not."""

from __future__ import annotations

import functools
import io
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from image_gender_classifier.imaging.decoding import decode
from image_gender_classifier.manifest.cache_key import REVIEWED, file_hash, run_hash
from image_gender_classifier.outputs.picture_content import (
    content_hash,
    get_start,
    hash_start,
    is_content_hash,
    is_hash,
    is_hash_of,
    review_run,
)

EXIFTOOL = shutil.which("exiftool")
Edit = Callable[..., dict[str, bytes]]
NOISE = Image.effect_noise((90, 70), 60).convert("RGB")


def encode(form: str, image: Image.Image = NOISE, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@functools.cache
def samples() -> dict[str, bytes]:
    """One valid file of each kind that is read differently."""
    exif = Image.Exif()
    exif[274], exif[315] = 6, "somebody"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "hello", zip=True)
    frames = [NOISE.rotate(turn) for turn in (90, 180)]
    moving: dict[str, Any] = {"save_all": True, "append_images": frames}
    return {
        "jpeg": encode("JPEG"),
        "jpeg exif": encode("JPEG", exif=exif, icc_profile=profile, comment=b"hello"),
        "jpeg progressive": encode("JPEG", progressive=True, restart_marker_rows=1),
        "jpeg cmyk": encode("JPEG", NOISE.convert("CMYK")),
        "jpeg grey": encode("JPEG", NOISE.convert("L")),
        "png": encode("PNG"),
        "png exif": encode("PNG", exif=exif, icc_profile=profile, pnginfo=text, dpi=(72, 72)),
        "png palette": encode("PNG", NOISE.convert("P"), transparency=3),
        "png animated": encode("PNG", **moving),
        "webp": encode("WEBP"),
        "webp lossless": encode("WEBP", lossless=True),
        "webp exif": encode("WEBP", exif=exif, icc_profile=profile),
        "webp transparent": encode("WEBP", Image.merge("RGBA", (*NOISE.split(), NOISE.split()[0]))),
        "webp animated": encode("WEBP", **moving),
        "gif": encode("GIF"),
        "tiff": encode("TIFF"),
        "text": b"no picture",
    }


PARSED = [name for name in samples() if name not in ("gif", "tiff", "text")]


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Edits pictures with ExifTool."""
    if EXIFTOOL is None:
        pytest.skip("ExifTool is not installed (Debian: libimage-exiftool-perl)")
    program: str = EXIFTOOL

    def run(pictures: dict[str, bytes], *options: str) -> dict[str, bytes]:
        paths = {name: tmp_path / name for name in pictures}
        for name, path in paths.items():
            path.write_bytes(pictures[name])
        command = [program, "-q", "-m", "-overwrite_original", *options]
        subprocess.run([*command, *map(str, paths.values())], check=True)
        return {name: path.read_bytes() for name, path in paths.items()}

    return run


@pytest.mark.parametrize(
    "options",
    [
        ("-XMP:Subject=holiday", "-XMP:Rating=5"),
        ("-EXIF:Artist=me", "-EXIF:DateTimeOriginal=2020:01:01 00:00:00", "-GPSLatitude=50"),
        ("-all=",),
        ("-ICC_Profile=", "-XMP=", "-Comment=hello"),
        ("-XMP:Description=" + "long " * 20_000,),
        ("-EXIF:Orientation=Horizontal (normal)",),
    ],
    ids=["tags", "EXIF", "all removed", "profile removed", "long", "upright"],
)
def test_metadata_do_not_matter(options: tuple[str, ...], edit: Edit) -> None:
    pictures = {name: samples()[name] for name in PARSED}
    turned = {name: data for name, data in pictures.items() if "exif" in name}
    upright = {name: data for name, data in pictures.items() if name not in turned}
    edited = edit(upright, *options) | edit(turned, *options, "-EXIF:Orientation=Rotate 90 CW")
    for name, data in pictures.items():
        assert content_hash(edited[name]) == content_hash(data), name
        assert hash_start(edited[name]) == hash_start(data), name
        assert review_run(edited[name]) == review_run(data), name
        if "animated" not in name:
            assert np.array_equal(decode(edited[name]).pixels, decode(data).pixels), name


def test_iptc_comment_density_and_trailer_do_not_matter(edit: Edit) -> None:
    pictures = {name: samples()[name] for name in ("jpeg", "jpeg progressive")}
    given = ("-IPTC:Keywords=holiday", "-Comment=hello", "-JFIF:XResolution=300")
    for name, edited in edit(pictures, *given).items():
        assert edited != pictures[name]
        expected = content_hash(pictures[name])
        assert content_hash(edited) == expected
        assert content_hash(edited + b"a video after the picture \xff\xd9") == expected


def test_another_orientation_matters(edit: Edit) -> None:
    pictures = {name: samples()[name] for name in PARSED}
    turned = [edit(pictures, "-n", f"-EXIF:Orientation={number}") for number in (3, 6, 8)]
    turned.append(edit(turned[0], "-EXIF:Orientation=", "-EXIF:Artist=me"))
    for name in PARSED:
        assert len({content_hash(each[name]) for each in turned}) == 4, name
        assert len({review_run(each[name]) for each in turned}) == 4, name


@pytest.mark.parametrize("name", samples())
def test_every_kind_of_picture_has_another_hash(name: str) -> None:
    data = samples()[name]
    others = {other: content_hash(each) for other, each in samples().items() if other != name}
    assert content_hash(data) not in others.values()
    assert is_hash(content_hash(data)) and is_content_hash(content_hash(data))
    assert get_start(content_hash(data)) == hash_start(data)
    assert is_hash_of(content_hash(data), data)
    assert is_hash_of(file_hash(data), data)
    assert is_hash(file_hash(data)) and not is_content_hash(file_hash(data))
    assert not is_hash_of(file_hash(data), data + b" ")


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:012345678", "image:0123456789abcdef", "="])
def test_other_texts_are_no_hashes(text: str) -> None:
    assert not is_hash(text)


@pytest.mark.parametrize("quality", [80, 81])
def test_other_tables_of_the_same_size_matter(quality: int) -> None:
    data = encode("JPEG", quality=80)
    place = data.index(b"\xff\xdb") + 6  # in the first quantisation table
    other = data[:place] + bytes([data[place] ^ quality ^ 80]) + data[place + 1 :]
    assert (content_hash(other) == content_hash(data)) == (quality == 80)


def test_transparency_and_frames_matter() -> None:
    data = samples()["png palette"]
    place = data.index(b"tRNS")
    opaque = data[: place - 4] + data[place + 8 + int.from_bytes(data[place - 4 : place], "big") :]
    assert Image.open(io.BytesIO(opaque)).info.get("transparency") is None
    assert content_hash(opaque) != content_hash(data)
    moving = samples()["png animated"]
    assert content_hash(moving.replace(b"fdAT", b"fdAU")) != content_hash(moving)


def test_an_adobe_segment_matters() -> None:
    """It says how colours are stored."""
    data = samples()["jpeg cmyk"]
    place = data.index(b"Adobe") + 11
    other = data[:place] + bytes([data[place] ^ 2]) + data[place + 1 :]
    assert content_hash(other) != content_hash(data)


@pytest.mark.parametrize("name", ["gif", "tiff", "text"])
def test_of_other_files_every_byte_matters(name: str) -> None:
    data = samples()[name]
    assert content_hash(data + b"x") != content_hash(data)
    assert review_run(data) == run_hash(data, REVIEWED)


@pytest.mark.parametrize("name", PARSED)
def test_of_truncated_files_every_byte_matters(name: str) -> None:
    data = samples()[name]
    for size in range(20, len(data) - 2, max(len(data) // 60, 1)):
        cut = data[:size]
        assert review_run(cut) == run_hash(cut, REVIEWED)
        assert content_hash(cut) != content_hash(data[: size + 1])


@given(st.sampled_from(PARSED), st.data())
def test_any_bytes_have_a_hash(name: str, draw: st.DataObject) -> None:
    """Damage never raises, whatever is left of the picture."""
    data = bytearray(samples()[name])
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, len(data) - 1))
        data[place : place + draw.draw(st.integers(0, 3))] = draw.draw(st.binary(max_size=5))
    damaged = bytes(data)
    assert is_hash_of(content_hash(damaged), damaged)
    assert content_hash(damaged).startswith(hash_start(damaged))
    assert len(review_run(damaged)) == 12


@given(st.binary())
def test_arbitrary_bytes_have_a_hash(data: bytes) -> None:
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWEBP"):
        assert content_hash(start + data).startswith(hash_start(start + data))


@given(
    st.sampled_from(["jpeg", "jpeg progressive"]),
    st.lists(st.tuples(st.sampled_from([*range(0xE1, 0xEE), 0xFE]), st.binary(max_size=99))),
)
def test_inserted_segments_do_not_matter(name: str, inserted: list[tuple[int, bytes]]) -> None:
    data = samples()[name]
    segments = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload
        for marker, payload in inserted
        if not payload.startswith(b"Exif")
    )
    edited = data[:2] + segments + data[2:]
    assert content_hash(edited) == content_hash(data)


@given(
    st.lists(st.tuples(st.from_regex("[a-z][a-zA-Z][A-Z][a-zA-Z]", fullmatch=True), st.binary()))
)
def test_inserted_chunks_do_not_matter(inserted: list[tuple[str, bytes]]) -> None:
    data = samples()["png"]
    chunks = b""
    for name, payload in inserted:
        kind = name.encode()
        if kind not in (b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"):
            check = struct.pack(">I", zlib.crc32(kind + payload))
            chunks += struct.pack(">I", len(payload)) + kind + payload + check
    assert content_hash(data[:33] + chunks + data[33:]) == content_hash(data)


def test_files_with_very_many_parts_count_as_corrupt() -> None:
    """Every byte matters then, and the time is bounded."""
    jpeg, png = samples()["jpeg"], samples()["png"]
    many = jpeg[:2] + b"\xff\xfe\0\2" * 100_001 + jpeg[2:]
    assert review_run(many) == run_hash(many, REVIEWED)
    many = png[:33] + b"\0\0\0\0teXt\0\0\0\0" * 100_001 + png[33:]
    assert review_run(many) == run_hash(many, REVIEWED)
    webp = samples()["webp exif"]
    body = webp[12:] + b"none\0\0\0\0" * 100_001
    many = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    assert review_run(many) == run_hash(many, REVIEWED)

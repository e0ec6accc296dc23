"""The parts of HEIC and AVIF files that a person sees."""

from __future__ import annotations

import functools
import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.decoding import decode
from image_gender_classifier.manifest.cache_key import REVIEWED, run_hash
from image_gender_classifier.outputs import heif_content
from image_gender_classifier.outputs.picture_content import content_hash, hash_start, review_run

EXIFTOOL = shutil.which("exiftool")
Edit = Callable[..., bytes]
NOISE = Image.effect_noise((90, 70), 60).convert("RGB")
TRANSPARENT = Image.merge("RGBA", (*NOISE.split(), NOISE.split()[0]))
KINDS = ("plain", "exif", "transparent", "several", "thumbnail", "profile")


@functools.cache
def sample(form: str, kind: str) -> bytes:
    """A real file."""
    if form == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    elif not features.check("avif"):
        pytest.skip("this Pillow does not write AVIF")
    exif = Image.Exif()
    exif[274], exif[315] = 6, "somebody"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict[str, dict[str, Any]] = {
        "exif": {"exif": exif, "xmp": b"<x:xmpmeta/>"},
        "several": {"save_all": form == "HEIF", "append_images": [NOISE.rotate(90)]},
        "thumbnail": {"thumbnails": [40]} if form == "HEIF" else {},
        "profile": {"icc_profile": profile},
    }
    file = io.BytesIO()
    (TRANSPARENT if kind == "transparent" else NOISE).save(file, form, **options.get(kind, {}))
    return file.getvalue()


@pytest.fixture(params=["HEIF", "AVIF"])
def form(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    sample(name, "plain")
    return name


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Edits a picture with ExifTool."""
    if EXIFTOOL is None:
        pytest.skip("ExifTool is not installed (Debian: libimage-exiftool-perl)")
    program: str = EXIFTOOL

    def run(data: bytes, *options: str) -> bytes:
        path = tmp_path / "picture"
        path.write_bytes(data)
        command = [program, "-q", "-m", "-n", "-overwrite_original", *options, str(path)]
        subprocess.run(command, check=True)
        return path.read_bytes()

    return run


TAGS = ("-XMP:Subject=holiday", "-EXIF:Artist=me", "-GPSLatitude=50")
EDITS = [
    TAGS,
    ("-XMP:Description=" + "long " * 20_000,),
    ("-EXIF:Orientation=8", "-XMP-tiff:Orientation=3"),
    ("-XMP-tiff:Orientation=6",),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", EDITS, ids=["tags", "long", "EXIF orientation", "XMP"])
def test_metadata_do_not_matter(form: str, kind: str, options: tuple[str, ...], edit: Edit) -> None:
    data = sample(form, kind)
    tagged = edit(data, *options)
    assert tagged != data
    for edited in (tagged, edit(tagged, "-all=")):
        assert content_hash(edited) == content_hash(data)
        assert hash_start(edited) == hash_start(data)
        assert review_run(edited) == review_run(data) != run_hash(data, REVIEWED)
        # Instead of a profile, ExifTool leaves an empty one, which libavif rejects.
        if edited == tagged or kind != "profile":
            assert np.array_equal(decode(edited).pixels, decode(data).pixels)


def test_a_rotation_matters(edit: Edit) -> None:
    data = sample("AVIF", "exif")
    turned = [edit(data, f"-QuickTime:Rotation={degrees}") for degrees in (0, 90, 180, 270)]
    assert len({content_hash(each) for each in turned}) == 4
    assert len({decode(each).pixels.tobytes() for each in turned}) == 4


def test_every_kind_of_picture_has_another_hash(form: str) -> None:
    kinds = ["plain", "transparent"]
    kinds += ["several", "thumbnail"] if form == "HEIF" else ["exif"]
    assert len({content_hash(sample(form, kind)) for kind in kinds}) == len(kinds)


def test_a_profile_does_not_matter(form: str) -> None:
    data = sample(form, "profile")
    place = data.index(b"colrprof") + 40
    other = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert content_hash(other) == content_hash(data)


def test_how_colours_are_computed_matters(form: str) -> None:
    data = sample(form, "plain")
    place = data.index(b"colrnclx") + 13  # the matrix
    other = data[:place] + bytes([data[place] ^ 7]) + data[place + 1 :]
    assert content_hash(other) != content_hash(data)


@pytest.mark.parametrize("kind", KINDS)
def test_other_pixels_matter(form: str, kind: str) -> None:
    data = sample(form, kind)
    place = len(data) // 2
    other = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert content_hash(other) != content_hash(data)


@pytest.mark.parametrize("kind", ["plain", "exif", "transparent"])
def test_of_truncated_files_every_byte_matters(form: str, kind: str) -> None:
    data = sample(form, kind)
    for size in [*range(20, 500), *range(500, len(data), 97), len(data) - 1]:
        cut = data[:size]
        assert review_run(cut) == run_hash(cut, REVIEWED)


def test_of_animations_every_byte_matters() -> None:
    sample("AVIF", "plain")
    file = io.BytesIO()
    NOISE.save(file, "AVIF", save_all=True, append_images=[NOISE.rotate(90)])
    data = file.getvalue()
    assert review_run(data) == run_hash(data, REVIEWED)


@given(st.sampled_from(["HEIF", "AVIF"]), st.sampled_from(KINDS), st.data())
def test_any_bytes_have_a_hash(form: str, kind: str, draw: st.DataObject) -> None:
    data = bytearray(sample(form, kind))
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(12, min(len(data) - 1, 700)))
        data[place : place + draw.draw(st.integers(0, 3))] = draw.draw(st.binary(max_size=5))
    damaged = bytes(data)
    assert content_hash(damaged).startswith(hash_start(damaged))
    assert len(review_run(damaged)) == 12


@given(st.binary())
def test_arbitrary_bytes_are_split_or_unreadable(data: bytes) -> None:
    for start in (b"", box(b"ftyp", b"heic\0\0\0\0"), build(Layout())):
        with suppress(UnreadablePicture):
            list(heif_content.split(start + data))


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full_box(kind: bytes, version: int, *content: bytes, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


@dataclass(frozen=True)
class Layout:
    """How a file is written; the picture is the same for all, unless it says otherwise.

    Its pictures are a grid of two tiles, with a description in `idat`.

    Attributes:
        metadata: Type, data and reference to the picture of each item of metadata.
        metadata_first: Whether these have the lowest ids.
        large: Whether ids, numbers of properties and lengths of boxes have more bytes.
        padding: Unused bytes before the data.
        split_at: Place at which the data of the tiles are in two pieces; 0 for one piece.
        base: Part of the offsets that each item has only once.
        rotation: Content of `irot`.
        method: Construction method of the grid.
        profile: An ICC profile; empty for none.
        tiles: Pixels of the tiles.
        swapped: Whether the grid has the second tile first.
    """

    metadata: tuple[tuple[bytes, bytes, bool], ...] = ()
    metadata_first: bool = False
    large: bool = False
    padding: bytes = b""
    split_at: int = 0
    base: int = 0
    rotation: int = 1
    method: int = 1
    profile: bytes = b""
    tiles: tuple[bytes, bytes] = (b"left tile", b"right tile")
    swapped: bool = False


def build(layout: Layout) -> bytes:
    """Writes a file."""
    data = _build(layout, 0)
    return _build(layout, len(data) - sum(map(len, _data(layout))))


def _data(layout: Layout) -> list[bytes]:
    return [data for _, data, _ in layout.metadata] + list(layout.tiles)


def _build(layout: Layout, data_at: int) -> bytes:
    wide = "I" if layout.large else "H"
    count = len(layout.metadata)
    first, tile = (1, count + 1) if layout.metadata_first else (10, 1)
    tiles, grid = (tile, tile + 1), tile + 2
    ids = [*range(first, first + count), *tiles]
    kinds = [kind for kind, _, _ in layout.metadata] + [b"hvc1", b"hvc1"]
    entries = [
        full_box(
            b"infe", 3 if layout.large else 2, struct.pack(f">{wide}H4s", each, 0, kind), b"\0"
        )
        for each, kind in (*zip(ids, kinds, strict=True), (grid, b"grid"))
    ]
    locations = b""
    at = data_at - layout.base
    for each, data in zip(ids, _data(layout), strict=True):
        cut = layout.split_at if each in tiles else 0
        lengths = [cut, len(data) - cut] if 0 < cut < len(data) else [len(data)]
        locations += struct.pack(f">{wide}HHIH", each, 0, 0, layout.base, len(lengths))
        for length in lengths:
            locations += struct.pack(">II", max(at, 0), length)
            at += length
    locations += struct.pack(f">{wide}HHIHII", grid, layout.method, 0, 0, 1, 2, 4)
    targets = tiles[::-1] if layout.swapped else tiles
    references = [box(b"dimg", struct.pack(f">{wide}H2{wide}", grid, 2, *targets))]
    for each, (_, _, refers) in zip(ids, layout.metadata, strict=False):
        if refers:
            references.append(box(b"cdsc", struct.pack(f">{wide}H{wide}", each, 1, grid)))
    profile = [box(b"colr", b"prof", layout.profile)] if layout.profile else []
    sizes = [full_box(b"ispe", 0, struct.pack(">II", width, 70)) for width in (45, 90)]
    properties = [*profile, *sizes, box(b"irot", bytes([layout.rotation]))]
    size = len(profile) + 1
    used = {each: [*range(1, size), size] for each in tiles}
    used[grid] = [*range(1, size), size + 1, size + 2]
    uses = struct.pack(">I", len(used))
    for each, numbers in used.items():
        uses += struct.pack(f">{wide}B", each, len(numbers))
        uses += struct.pack(f">{len(numbers)}{'H' if layout.large else 'B'}", *numbers)
    version = int(layout.large)
    meta = full_box(
        b"meta",
        0,
        full_box(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", version, struct.pack(f">{wide}", grid)),
        full_box(
            b"iloc", version + 1, b"\x44\x40", struct.pack(f">{wide}", len(entries)), locations
        ),
        full_box(b"iinf", version, struct.pack(f">{wide}", len(entries)), *entries),
        box(
            b"iprp",
            box(b"ipco", *properties),
            full_box(b"ipma", version, uses, flags=version),
        ),
        full_box(b"iref", version, *references),
        box(b"idat", b"unGRID"),
    )
    body = layout.padding + b"".join(_data(layout))
    header = struct.pack(">I4sQ", 1, b"mdat", len(body) + 16) if layout.large else box(b"mdat")
    if not layout.large:
        header = struct.pack(">I", len(body) + 8) + header[4:]
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta + header + body


def parts(layout: Layout) -> bytes:
    return b"\0".join(heif_content.split(build(layout)))


METADATA = st.lists(
    st.tuples(st.sampled_from([b"Exif", b"mime", b"uri "]), st.binary(max_size=50), st.booleans()),
    max_size=5,
).map(tuple)


@given(
    st.builds(
        Layout,
        metadata=METADATA,
        metadata_first=st.booleans(),
        large=st.booleans(),
        padding=st.binary(max_size=50),
        base=st.integers(0, 100),
        profile=st.binary(max_size=50),
    )
)
def test_the_layout_does_not_matter(layout: Layout) -> None:
    assert parts(layout) == parts(Layout())
    assert review_run(build(layout)) == review_run(build(Layout()))


@given(st.integers(0, 9))
def test_how_data_are_divided_does_not_matter(cut: int) -> None:
    assert review_run(build(Layout(split_at=cut))) == review_run(build(Layout()))


@pytest.mark.parametrize(
    "changes",
    [
        {"rotation": 2},
        {"tiles": (b"left tile", b"right tilE")},
        {"tiles": (b"left tiler", b"ight tile")},
        {"swapped": True},
    ],
    ids=["rotation", "pixels", "borders", "order of tiles"],
)
def test_what_a_person_sees_matters(changes: dict[str, Any]) -> None:
    assert parts(replace(Layout(), **changes)) != parts(Layout())


def other(old: bytes, new: bytes) -> bytes:
    """A file with something else instead."""
    data = build(Layout())
    assert data.count(old) >= 1
    return data.replace(old, new, 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: build(Layout(method=2)),
        lambda: build(Layout(method=0)).replace(b"\0\2\0\0\0\4", b"\0\2\x7f\0\0\4"),
        lambda: other(b"\0\0\0\2\0\0\0\4", b"\0\0\0\2\0\0\0\0"),  # a length of 0
        lambda: other(b"\0\0\0\2\0\0\0\4", b"\0\0\0\2\0\0\0\5"),  # beyond idat
        lambda: other(b"iloc\1", b"iloc\3"),
        lambda: other(b"infe\2", b"infe\1"),
        lambda: other(b"idat", b"iprO"),
        lambda: other(b"iref", b"iloc"),
        lambda: other(b"pitm\0\0\0\0\0\3", b"pitm\0\0\0\0\0\4"),
        lambda: other(b"dimg\0\3\0\2\0\1", b"dimg\0\3\0\2\0\4"),
        lambda: other(b"pict", b"vide"),
        lambda: other(b"hvc1", b"mime"),  # a tile that is metadata
        lambda: other(b"mdat", b"moov"),
        lambda: build(Layout()) + b"trailer",
    ],
)
def test_unknown_and_inconsistent_files_are_hashed_whole(make: Callable[[], bytes]) -> None:
    data = make()
    with pytest.raises(UnreadablePicture):
        list(heif_content.split(data))
    assert review_run(data) == run_hash(data, REVIEWED)


def test_the_number_of_boxes_and_items_is_bounded() -> None:
    many = [
        build(Layout()) + box(b"free") * 100_000,
        build(Layout(metadata=((b"mime", b"", False),) * 20_000)),
    ]
    for data in many:
        with pytest.raises(UnreadablePicture):
            list(heif_content.split(data))


@pytest.mark.parametrize("size", [5_000, 4_000])
def test_items_do_not_share_more_data_than_the_file_has(size: int) -> None:
    data = build(Layout(tiles=(b"x", b"y"), padding=bytes(9_000)))
    for place in (len(data) - 2, len(data) - 1):
        data = data.replace(struct.pack(">II", place, 1), struct.pack(">II", 0, size))
    if size == 4_000:
        assert sum(map(len, heif_content.split(data))) <= 9_000
    else:
        with pytest.raises(UnreadablePicture):
            list(heif_content.split(data))


def test_properties_are_yielded_once() -> None:
    """Otherwise the parts of a small file could be huge."""
    first, *_ = parts(Layout()).split(b"left tile")
    assert first.count(struct.pack(">II", 45, 70)) == 1
    assert parts(Layout()).count(struct.pack(">II", 45, 70)) == 1


@pytest.mark.parametrize("kind", [b"pitm", b"iloc", b"iinf", b"iref", b"ipma"])
def test_the_size_of_lists_is_bounded(kind: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    data = build(Layout(large=True))
    place = data.index(kind)
    size = int.from_bytes(data[place - 4 : place], "big") - 8
    monkeypatch.setattr(heif_content, "_MAX_TABLE", size - 1)
    with pytest.raises(UnreadablePicture):
        list(heif_content.split(data))

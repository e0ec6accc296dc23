"""`--xmp`: sidecars with face regions and a keyword, through the command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from lxml import etree
from PIL import Image

Command = Callable[..., CompletedProcess[str]]


def read(path: Path) -> tuple[list[str | None], list[list[float]]]:
    """Returns the keywords and the areas of a sidecar."""
    root = etree.fromstring(path.read_bytes())
    keywords = [item.text for item in root.findall(".//{*}subject//{*}li")]
    names = [f"{{http://ns.adobe.com/xmp/sType/Area#}}{name}" for name in "xywh"]
    areas = [[float(area.get(name)) for name in names] for area in root.findall(".//{*}Area")]
    return keywords, areas


def test_sidecars_next_to_the_pictures(command: Command, folder: Path, out: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    options = ("-i", folder, "-o", out, "--always", "--xmp", folder)
    assert command(*options).returncode == 0
    sidecar = folder / "astronaut.jpg.xmp"
    assert set(folder.iterdir()) == {*before, sidecar}  # none without a face
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    keywords, ((x, y, width, height),) = read(sidecar)
    assert keywords == ["perceived gender|female"]
    face = etree.parse(out / "astronaut.xml").find("face")
    with Image.open(folder / "astronaut.jpg") as picture:
        size = picture.size
    for start, extent, centre, share, side in (
        ("x", "width", x, width, size[0]),
        ("y", "height", y, height, size[1]),
    ):
        assert share * side == pytest.approx(float(face.get(extent)), abs=1)
        assert centre * side == pytest.approx(
            float(face.get(start)) + float(face.get(extent)) / 2, abs=1
        )
    written = sidecar.read_bytes()
    assert "3 of them kept" in command(*options, "--resume").stdout
    sidecar.unlink()
    assert "2 of them kept" in command(*options, "--resume").stdout
    assert sidecar.read_bytes() == written


def test_a_turned_picture_has_the_region_of_its_stored_pixels(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "xmp").mkdir()
    with Image.open(folder / "astronaut.jpg") as picture:
        exif = Image.Exif()
        exif[0x0112] = 6  # shown after a quarter turn clockwise
        turned = picture.transpose(Image.Transpose.ROTATE_90)
        turned.save(folder / "turned.jpg", quality=95, exif=exif)
    command("-i", folder, "-o", out, "--always", "--xmp", tmp_path / "xmp")
    _, ((x, y, *_),) = read(tmp_path / "xmp" / "astronaut.jpg.xmp")
    _, ((turned_x, turned_y, *_),) = read(tmp_path / "xmp" / "turned.jpg.xmp")
    assert (turned_x, turned_y) == pytest.approx((y, 1 - x), abs=0.03)


def test_a_changed_prediction_replaces_what_an_earlier_run_wrote(
    command: Command, folder: Path, out: Path
) -> None:
    sidecar = folder / "astronaut.jpg.xmp"
    options = ("-i", folder, "-o", out, "--xmp", folder)
    command(*options, "--always")
    command(*options, "--threshold", "1")
    assert read(sidecar)[0] == ["perceived gender|unknown"]
    shutil.copy(folder / "cat.jpg", folder / "astronaut.jpg")
    command(*options)
    assert read(sidecar) == ([], [])


def test_a_sidecar_that_is_no_xmp_stays_and_is_reported(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    sidecar = folder / "astronaut.jpg.xmp"
    sidecar.write_bytes(b"<broken")
    (tmp_path / "target").write_bytes(b"elsewhere")
    (folder / "cat.jpg.xmp").symlink_to(tmp_path / "target")
    for _ in range(2):
        run = command("-i", folder, "-o", out, "--xmp", folder, "--resume")
        assert run.returncode == 1
        assert "astronaut.jpg.xmp: stays as it is, because it is not well-formed XML" in run.stderr
        assert "cat.jpg.xmp: cannot be read" in run.stderr
        assert "2 files not written" in run.stdout
        assert sidecar.read_bytes() == b"<broken"
        assert (tmp_path / "target").read_bytes() == b"elsewhere"
        assert len(list(out.iterdir())) == 3


def test_hostile_and_colliding_names_have_sidecars_of_their_own(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "xmp").mkdir()
    names = ["a&<b>\n.jpg", "a.jpg", "a.png.jpg", "\udcff.jpg", "n" * 251 + ".jpg"]
    for name in names:
        shutil.copy(folder / "astronaut.jpg", folder / name)
    (folder / "astronaut.jpg").rename(folder / "a.jpeg")
    assert command("-i", folder, "-o", out, "--xmp", tmp_path / "xmp").returncode == 0
    found = {path.name for path in (tmp_path / "xmp").iterdir()}
    assert len(found) == 6
    assert {f"{name}.xmp" for name in ("a.jpeg", *names[:-1])} < found

"""No name of a picture or folder stops a run or affects the prediction of another picture."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn
from xml.etree import ElementTree

import disks
import pytest

from image_gender_classifier.cli import options, watching
from image_gender_classifier.cli.start import start_workers
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import decoding

Command = Callable[..., CompletedProcess[str]]

# Starting a detector would take most of the time.
QUICK = ("--detector", "none", "--workers", "1")
HARD = [
    *("photo 12:30:45.jpg", "photo 12%3A30%3A45.jpg", "con.jpg", "what?.jpg", "a\\b.jpg"),
    *("Kim.jpg", "kim.jpg", "zoe.jpg", "aaa.jpg", "é.jpg", "e\u0301.jpg", os.fsdecode(b"\xff.jpg")),
    "n" * 240 + ".jpg",
]


@pytest.fixture
def hard(tmp_path: Path, samples: Path) -> Path:
    """A folder of different small pictures with the names in `HARD` and in subfolders."""
    folder = tmp_path / "hard"
    for name in (*HARD, "Sub:1/x.jpg", "sub/aux.jpg", "SUB/aux.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((samples / "cat.jpg").read_bytes() + os.fsencode(name))
    return folder


def pictures_by_xml(folder: Path) -> dict[str, str]:
    """Maps the XML files in a folder to their pictures."""
    return {
        path.relative_to(folder).as_posix(): str(ElementTree.parse(path).getroot().get("file"))
        for path in folder.rglob("*.xml")
    }


def read_all(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("disk", disks.KINDS, indirect=True)
@pytest.mark.parametrize("option", ["--xmp", "--sort-into"])
def test_every_picture_has_a_sidecar_and_a_sorted_copy_on_any_disk(
    option: str, disk: Path, hard: Path, out: Path, command: Command
) -> None:
    given = ("-i", hard, "-o", out, option, disk, "--recursive", "--always", "--resume", *QUICK)
    pictures = {path.read_bytes() for path in hard.rglob("*") if path.is_file()}
    before: dict[str, tuple[bytes, int]] = {}
    for kept in (False, True):
        done = command(*given)
        assert (done.returncode, f"{len(pictures)} of them kept" in done.stdout) == (0, kept)
        files = {
            name: each for name, each in read_all(disk).items() if "/" in name or ".xmp" in name
        }
        assert len(files) == len(pictures)
        if option == "--sort-into":
            assert {data for data, _ in files.values()} == pictures
        assert files == (before or files)
        before = files


@pytest.mark.parametrize("disk", disks.KINDS, indirect=True)
def test_every_picture_has_its_own_xml_on_any_disk(
    disk: Path, hard: Path, command: Command
) -> None:
    given = ("-i", hard, "-o", disk, "--recursive", *QUICK)
    done = command(*given)
    assert done.returncode == 0
    found = pictures_by_xml(disk)
    assert len(found) == len(set(found.values())) == len(HARD) + 3
    assert {"photo 12:30:45.jpg", "con.jpg", "Kim.jpg", "kim.jpg", "%FF.jpg"} <= set(found.values())
    assert {"Sub:1/x.jpg", "sub/aux.jpg", "SUB/aux.jpg"} <= set(found.values())
    assert {found["aaa.xml"], found["zoe.xml"]} == {"aaa.jpg", "zoe.jpg"}
    assert done.stderr.count("\n") == 1 and "rejects the usual name" in done.stderr
    before = read_all(disk)
    again = command(*given, "--resume")
    assert (again.returncode, again.stderr) == (0, "")
    assert f"{len(found)} of them kept" in again.stdout
    assert read_all(disk) == before


@pytest.mark.parametrize("disk", disks.FOLDING, indirect=True)
def test_names_that_differ_in_case_keep_their_files_when_one_changes(
    disk: Path, tmp_path: Path, samples: Path, command: Command
) -> None:
    pictures = tmp_path / "in"
    pictures.mkdir()
    for name in ("Kim.jpg", "kim.jpg"):
        (pictures / name).write_bytes((samples / "cat.jpg").read_bytes() + name.encode())
    command("-i", pictures, "-o", disk, *QUICK)
    first = pictures_by_xml(disk)
    assert sorted(first.values()) == ["Kim.jpg", "kim.jpg"]
    (pictures / "kim.jpg").write_bytes((samples / "rocket.jpg").read_bytes())
    again = command("-i", pictures, "-o", disk, "--resume", *QUICK)
    assert again.returncode == 0 and "1 of them kept" in again.stdout
    assert pictures_by_xml(disk) == first


def test_ordinary_disks_change_no_name(hard: Path, out: Path, command: Command) -> None:
    done = command("-i", hard, "-o", out, "--recursive", *QUICK)
    assert (done.returncode, done.stderr) == (0, "")
    usual = {f"{os.path.splitext(name)[0]}.xml" for name in HARD}
    assert set(pictures_by_xml(out)) == usual | {"Sub:1/x.xml", "sub/aux.xml", "SUB/aux.xml"}


def watch_twice(given: list[str]) -> None:
    parsed = options.parse_options(given)
    with start_workers(parsed) as supervisor:
        watching.watch_folder(parsed, supervisor, 2, pause=0)


@pytest.mark.slow
@pytest.mark.parametrize("disk", disks.KINDS, indirect=True)
def test_a_watched_folder_accepts_any_name(
    disk: Path, hard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["-i", str(hard), "-o", str(disk), "--watch", "--recursive", *QUICK]
    watch_twice(given)
    assert len(set(pictures_by_xml(disk).values())) == len(HARD) + 3
    said = capsys.readouterr().err
    assert said.count("'photo 12:30:45.jpg': the XML file is called 'photo 12%3A30%3A45") == 1
    before = read_all(disk)
    watch_twice(given)
    assert read_all(disk) == before


@pytest.mark.parametrize("disk", ["double"], indirect=True)
def test_annotated_copies_have_the_names_of_the_xml_files(
    disk: Path, hard: Path, command: Command
) -> None:
    (disk.parent / "out").mkdir()
    given = ("-i", hard, "-o", disk.parent / "out", "--annotate", disk, "--resume", *QUICK)
    assert command(*given).returncode == 0
    xml = {name.removesuffix(".xml") for name in pictures_by_xml(disk.parent / "out")}
    assert {path.stem for path in disk.iterdir()} == xml and len(xml) == len(HARD)
    assert f"{len(HARD)} of them kept" in command(*given).stdout


def test_a_limit_of_143_bytes(
    hard: Path, out: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.replace

    def limited(source: Path, target: Path) -> None:
        if len(os.fsencode(target.name)) > 143:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        rename(source, target)

    monkeypatch.setattr(os, "replace", limited)
    monkeypatch.setattr(os, "pathconf", lambda *_: 143)
    assert command("-i", hard, "-o", out, *QUICK).returncode == 0
    assert len(pictures_by_xml(out)) == len(HARD)
    assert max(len(os.fsencode(name)) for name in pictures_by_xml(out)) == 143
    assert "kept" in command("-i", hard, "-o", out, "--resume", *QUICK).stdout


@pytest.mark.parametrize(
    "number", [errno.EINVAL, errno.EILSEQ, errno.ENOENT, errno.ENAMETOOLONG, errno.EPERM]
)
def test_a_name_rejected_despite_the_rules_gets_a_substitute(
    number: int, folder: Path, out: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.replace

    def refusing(source: Path, target: Path) -> None:
        if target.name.startswith("cat."):
            raise OSError(number, os.strerror(number))
        rename(source, target)

    monkeypatch.setattr(os, "replace", refusing)
    done = command("-i", folder, "-o", out, *QUICK)
    assert done.returncode == 0
    assert "'cat.jpg': the XML file is called 'cat~" in done.stderr
    found = pictures_by_xml(out)
    assert sorted(found.values()) == ["astronaut.jpg", "cat.jpg", "rocket.jpg"]
    before = read_all(out)
    again = command("-i", folder, "-o", out, "--resume", *QUICK)
    assert "3 of them kept" in again.stdout and read_all(out) == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_disk_that_accepts_no_file_ends_the_run(
    number: int, folder: Path, out: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refusing)
    lost = command("-i", folder, "-o", out, *QUICK)
    assert lost.returncode == 3
    assert f"astronaut.xml: cannot be written ({os.strerror(number)})" in lost.stderr
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("obstacle", ["a.xml", "sub"])
def test_an_obstacle_at_an_output_path_loses_no_prediction(
    obstacle: str, folder: Path, out: Path, command: Command
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    (folder / "cat.jpg").rename(folder / "a.jpg")
    (out / obstacle).mkdir() if obstacle == "a.xml" else (out / obstacle).touch()
    given = ("-i", folder, "-o", out, "--recursive", *QUICK)
    assert command(*given).returncode == 0
    files = {
        ElementTree.parse(path).getroot().get("file")
        for path in out.rglob("*.xml")
        if path.is_file()
    }
    assert files == {"a.jpg", "astronaut.jpg", "rocket.jpg", "sub/a.jpg"}
    assert "4 of them kept" in command(*given, "--resume").stdout


def test_a_subfolder_named_like_an_xml_file(folder: Path, out: Path, command: Command) -> None:
    (folder / "cat.xml").mkdir()
    shutil.copy(folder / "cat.jpg", folder / "cat.xml" / "b.jpg")
    done = command("-i", folder, "-o", out, "--recursive", *QUICK)
    assert (done.returncode, done.stderr) == (0, "")
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert names == {"astronaut.xml", "cat.jpg.xml", "rocket.xml", "cat.xml/b.xml"}


@pytest.mark.parametrize("disk", disks.FOLDING, indirect=True)
def test_a_copy_never_replaces_a_picture_whose_name_differs_in_case(
    disk: Path, samples: Path, tmp_path: Path, out: Path, command: Command
) -> None:
    shutil.copy(samples / "cat.jpg", disk / "cat.JPG")
    before = (disk / "cat.JPG").read_bytes()
    refused = command("-i", disk, "-o", out, "--annotate", disk, *QUICK)
    assert refused.returncode == 2 and "would be overwritten" in refused.stderr
    assert (disk / "cat.JPG").read_bytes() == before


def test_messages_cannot_control_the_terminal(
    command: Command, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = folder.with_name("odd\x1b[2J\u202e\n\udcff")
    done = command("-i", odd, "-o", out)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "odd%1B[2J%E2%80%AE %FF: " in done.stderr
    folder.rename(odd)

    def refuse(*_: object) -> NoReturn:
        raise UnreadablePicture("reason\x9b2J\u2067")

    monkeypatch.setattr(decoding, "decode", refuse)  # workers are forked from this process
    done = command("-i", odd, "-o", out, "--verbose", *QUICK)
    assert done.returncode == 1 and "'cat.jpg': reason%C2%9B2J%E2%81%A7" in done.stderr
    assert all(line.isprintable() for line in done.stderr.split("\n"))

"""Output folders on file systems that fail, reject a name or go away."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.naming import make_substitute_name
from image_gender_classifier.outputs.xml_folder import XmlFolder as Folder

FailRename = Callable[[int, int], None]


@pytest.fixture
def fail_rename(monkeypatch: pytest.MonkeyPatch) -> FailRename:
    """Lets renames to `a.xml` fail with an error, a number of times."""

    def fail(number: int, times: int) -> None:
        rename, left = os.replace, [times]

        def failing(source: Path, target: Path) -> None:
            if target.name == "a.xml" and left[0]:
                left[0] -= 1
                raise OSError(number, os.strerror(number))
            rename(source, target)

        monkeypatch.setattr(os, "replace", failing)

    return fail


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# --- errors of the disk and of names --------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOMEM])
def test_an_error_that_passes_costs_no_file_its_name(
    number: int, out: Path, fail_rename: FailRename
) -> None:
    fail_rename(number, 1)
    assert Folder(out).write_file("a.xml", b"data") == "a.xml"
    assert list_files(out) == {"a.xml"}


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOSPC])
def test_an_error_of_the_disk_that_stays_is_an_output_error(
    number: int, out: Path, fail_rename: FailRename
) -> None:
    fail_rename(number, 1_000_000)
    with pytest.raises(OutputError, match=r"a\.xml: cannot be written"):
        Folder(out).write_file("a.xml", b"data")
    assert list_files(out) == set()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EILSEQ, errno.EBUSY, errno.ENOENT])
def test_a_substitute_is_removed_when_the_usual_name_is_accepted(
    number: int, out: Path, fail_rename: FailRename
) -> None:
    folder = Folder(out)
    fail_rename(number, 2)
    assert folder.write_file("a.xml", b"old") == make_substitute_name("a.xml")
    assert list_files(out) == {make_substitute_name("a.xml")}
    assert folder.write_file("a.xml", b"new") == "a.xml"
    assert list_files(out) == {"a.xml"}


def test_a_substitute_of_an_earlier_run_is_removed_and_those_of_others_stay(out: Path) -> None:
    for name in ("a.xml", "b.xml"):
        (out / make_substitute_name(name)).write_bytes(b"old")
    assert Folder(out).write_file("a.xml", b"new") == "a.xml"
    assert list_files(out) == {"a.xml", make_substitute_name("b.xml")}


def test_a_folder_that_cannot_be_listed_is_written_to(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one with mode 0300; the tests may run as root, who lists it all the same."""
    (out / make_substitute_name("a.xml")).write_bytes(b"old")

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert Folder(out).write_file("a.xml", b"new") == "a.xml"
    monkeypatch.undo()
    assert list_files(out) == {"a.xml"}


# --- folders that go away -------------------------------------------------------------------------


def test_a_subfolder_that_was_removed_is_created_again(out: Path) -> None:
    folder = Folder(out)
    assert folder.write_file("x/y/a.xml", b"data") == "x/y/a.xml"
    shutil.rmtree(out / "x")
    assert folder.write_file("x/y/a.xml", b"data") == "x/y/a.xml"
    assert folder.write_file("x/y/b.xml", b"data") == "x/y/b.xml"
    assert list_files(out) == {"x/y/a.xml", "x/y/b.xml"}


def test_a_subfolder_removed_during_a_write_is_created_again(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, removals = os.replace, [1]

    def removing(source: Path, target: Path) -> None:
        while removals:
            removals.pop()
            shutil.rmtree(out / "x")
        rename(source, target)

    monkeypatch.setattr(os, "replace", removing)
    assert Folder(out).write_file("x/a.xml", b"data") == "x/a.xml"
    assert list_files(out) == {"x/a.xml"}


@pytest.mark.parametrize("name", ["a.xml", "x/a.xml", "y/a.xml"])
def test_nothing_is_written_where_the_output_folder_was(name: str, out: Path) -> None:
    """As when its drive is disconnected and only the empty mount point is left."""
    folder = Folder(out)
    folder.write_file("x/first.xml", b"data")
    out.rename(out.with_name("drive"))
    out.mkdir()
    with pytest.raises(OutputError, match=r"a\.xml: cannot be written \(.*unmounted"):
        folder.write_file(name, b"data")
    assert list(out.iterdir()) == []


def test_nothing_is_written_below_the_mount_point_of_a_disconnected_drive(small_disk: Path) -> None:
    (small_disk / "x").mkdir()
    folder = Folder(small_disk)
    subprocess.run(["umount", "--lazy", str(small_disk)], check=True)
    try:
        with pytest.raises(OutputError, match="unmounted"):
            folder.write_file("x/a.xml", b"data")
        assert list(small_disk.iterdir()) == []
    finally:  # the fixture unmounts it
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(small_disk)], check=True)


# --- symbolic links -------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["elsewhere", "missing", "x"])
def test_a_symbolic_link_in_place_of_a_subfolder_costs_no_result(
    target: str, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = Folder(out)
    for _ in range(2):  # also when it replaces a folder later
        assert folder.write_file("x/a.xml", b"data") == "x/a.xml"
        shutil.rmtree(out / "x")
        (out / "x").symlink_to(target if target == "x" else tmp_path / target)
        for each in (folder, Folder(out)):
            for name in ("x/a.xml", "x/y/a.xml"):
                assert each.write_file(name, b"data") == make_substitute_name(name)
                assert list(each.possible_paths(name)) == [out / make_substitute_name(name)]
        assert [path.name for path in tmp_path.rglob("*.xml") if path.parent != out] == []
        (out / "x").unlink()

"""`--sort-into`: links to the pictures in a folder per gender, through the command."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., CompletedProcess[str]]
MARKER = ".sorted-by-image-gender-classifier"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "sorted").mkdir()
    return tmp_path / "sorted"


def files(folder: Path) -> set[str]:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found - {MARKER}


def test_pictures_are_linked_into_the_folder_of_their_gender(
    command: Command, folder: Path, out: Path, into: Path
) -> None:
    (folder / "sub").mkdir()
    shutil.copy(folder / "astronaut.jpg", folder / "sub" / "cat.jpg")
    (folder / "sub" / "bad.jpg").write_bytes(b"no picture")
    options = ("-i", folder, "-o", out, "--recursive", "--sort-into", into)
    assert command(*options, "--always").returncode == 1
    women = {"female/astronaut.jpg", "female/sub/cat.jpg"}
    sorted_ = {*women, "no_face/cat.jpg", "no_face/rocket.jpg"}
    assert files(into) == sorted_
    for name in sorted_:
        assert (into / name).samefile(folder / name.split("/", 1)[1])
    # Another threshold: the predictions change, and the links move.
    assert command(*options, "--threshold", "1").returncode == 1
    assert files(into) == {name.replace("female/", "unknown/") for name in sorted_}
    shutil.copy(folder / "cat.jpg", folder / "sub" / "new.jpg")
    shutil.move(folder / "sub" / "new.jpg", folder / "sub" / "cat.jpg")
    (into / "no_face" / "rocket.jpg").unlink()
    assert "4 of them kept" in command(*options, "--threshold", "1", "--resume").stdout
    assert files(into) == {
        *("unknown/astronaut.jpg", "no_face/sub/cat.jpg", "no_face/cat.jpg", "no_face/rocket.jpg")
    }
    assert (into / "no_face/sub/cat.jpg").samefile(folder / "sub" / "cat.jpg")


def test_pictures_are_copied_where_links_are_impossible(
    command: Command, folder: Path, out: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    os.utime(folder / "cat.jpg", (1_000_000_000, 1_000_000_000))
    for _ in range(2):
        assert command("-i", folder, "-o", out, "--sort-into", into, "--always").returncode == 0
        assert files(into) == {"female/astronaut.jpg", "no_face/cat.jpg", "no_face/rocket.jpg"}
        copy = into / "no_face" / "cat.jpg"
        assert copy.read_bytes() == (folder / "cat.jpg").read_bytes()
        assert copy.stat().st_nlink == 1
        assert copy.stat().st_mtime == 1_000_000_000
        inode = copy.stat().st_ino
    assert copy.stat().st_ino == inode  # not copied again
    shutil.copy(folder / "rocket.jpg", folder / "cat.jpg")
    command("-i", folder, "-o", out, "--sort-into", into, "--always")
    assert copy.read_bytes() == (folder / "rocket.jpg").read_bytes()


def test_a_symbolic_link_is_sorted_as_the_picture_it_leads_to(
    command: Command, folder: Path, out: Path, into: Path, tmp_path: Path
) -> None:
    (folder / "rocket.jpg").rename(tmp_path / "real.jpg")
    (folder / "rocket.jpg").symlink_to(tmp_path / "real.jpg")
    assert command("-i", folder, "-o", out, "--sort-into", into).returncode == 0
    placed = into / "no_face" / "rocket.jpg"
    assert placed.samefile(tmp_path / "real.jpg") and not placed.is_symlink()


def test_files_of_others_are_never_replaced(
    command: Command, folder: Path, out: Path, into: Path
) -> None:
    (into / "female").mkdir()
    (into / "female" / "astronaut.jpg").write_bytes(b"of others")
    refused = command("-i", folder, "-o", out, "--sort-into", into)
    assert refused.returncode == 2
    assert "its folder female has files already; give an empty folder" in refused.stderr
    assert files(into) == {"female/astronaut.jpg"}
    assert not list(out.iterdir())


@pytest.mark.parametrize("where", [".", "..", "../female/.."])
def test_the_folder_of_the_pictures_is_refused(
    where: str, command: Command, folder: Path, out: Path
) -> None:
    (folder.parent / "female").mkdir()
    refused = command("-i", folder, "-o", out, "--sort-into", folder / where)
    assert refused.returncode == 2
    assert "is the input folder or above it; give another folder" in refused.stderr


def test_the_sorted_pictures_are_not_classified(command: Command, folder: Path, out: Path) -> None:
    (folder / "sorted").mkdir()
    options = ("-i", folder, "-o", out, "--recursive", "--sort-into", folder / "sorted")
    for _ in range(2):
        assert "3 pictures" in command(*options).stdout

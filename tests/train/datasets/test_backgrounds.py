"""Reading the pictures without people."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from shutil import copy

import pytest

from image_gender_classifier.errors import Unfinished, UsageError
from image_gender_classifier.train.datasets import backgrounds


def test_junk_files_are_skipped(tmp_path: Path, samples: Path) -> None:
    for name in ("a/cat.jpg", "a/._cat.jpg", "@eaDir/cat.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(samples / "cat.jpg", tmp_path / name)
    assert list(backgrounds.read_backgrounds(tmp_path).names) == ["a/cat.jpg"]


def test_a_subfolder_that_cannot_be_read_is_an_error(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(samples / "cat.jpg", tmp_path)
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(folder: Path) -> object:
        if folder == tmp_path / "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(UsageError, match="closed: the folder cannot be read"):
        backgrounds.read_backgrounds(tmp_path)


def test_a_picture_that_cannot_be_read_at_present_is_named(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    copy(samples / "cat.jpg", tmp_path)
    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(Unfinished, match=r"/cat\.jpg: .*cannot be read at present"):
        backgrounds.read_backgrounds(tmp_path)


def test_pictures_with_people_are_skipped(tmp_path: Path, samples: Path) -> None:
    for name in ("llama_0053.jpg", "llama_0054.jpg"):
        copy(samples / "cat.jpg", tmp_path / name)
    assert "llama_0053.jpg" in backgrounds.list_names_with_people()
    found = backgrounds.read_backgrounds(tmp_path)
    assert found.names == ["llama_0054.jpg"]
    assert not found.unreadable

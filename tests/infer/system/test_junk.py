"""The names of by-products and unfinished copies."""

from __future__ import annotations

import pytest

from image_gender_classifier.system.junk import is_junk_file, is_junk_folder


@pytest.mark.parametrize(
    "name",
    [
        *("._a.jpg", "Thumbs.db", "a.opdownload", "a.jpg.crdownload", "A.JPG.PART", "a.filepart"),
        *(".igc-0123abcd-00000000.partial", ".DS_Store", "a.tmp"),
    ],
)
def test_files(name: str) -> None:
    assert is_junk_file(name)


@pytest.mark.parametrize(
    "name", ["__MACOSX", "@eaDir", ".Trash-1000", ".Trash", "#recycle", "$RECYCLE.BIN"]
)
def test_folders(name: str) -> None:
    assert is_junk_folder(name)


@pytest.mark.parametrize(
    "name",
    ["a.jpg", ".a.jpg", "part.jpg", "_.jpg", "a.part.jpg", ".trash-can.jpg", "tmp", "thumbs"],
)
def test_files_of_the_user(name: str) -> None:
    assert not is_junk_file(name)


@pytest.mark.parametrize(
    "name", ["MACOSX", "eaDir", "Trash-1000", ".hidden", "lost+found", "a.part"]
)
def test_folders_of_the_user(name: str) -> None:
    assert not is_junk_folder(name)

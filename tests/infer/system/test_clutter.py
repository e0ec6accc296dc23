"""The names of by-products and unfinished copies."""

from __future__ import annotations

import pytest

from image_gender_classifier.system.clutter import is_clutter_file, is_clutter_folder


@pytest.mark.parametrize(
    "name",
    [
        *("._a.jpg", "Thumbs.db", "a.opdownload", "a.jpg.crdownload", "A.JPG.PART", "a.filepart"),
        *(".igc-0123abcd-00000000.partial", ".DS_Store", "a.tmp"),
    ],
)
def test_files(name: str) -> None:
    assert is_clutter_file(name)


@pytest.mark.parametrize(
    "name", ["__MACOSX", "@eaDir", ".Trash-1000", ".Trash", "#recycle", "$RECYCLE.BIN"]
)
def test_folders(name: str) -> None:
    assert is_clutter_folder(name)


@pytest.mark.parametrize(
    "name",
    ["a.jpg", ".a.jpg", "part.jpg", "_.jpg", "a.part.jpg", ".trash-can.jpg", "tmp", "thumbs"],
)
def test_files_of_the_user(name: str) -> None:
    assert not is_clutter_file(name)


@pytest.mark.parametrize(
    "name", ["MACOSX", "eaDir", "Trash-1000", ".hidden", "lost+found", "a.part"]
)
def test_folders_of_the_user(name: str) -> None:
    assert not is_clutter_folder(name)

"""Counting pictures in subfolders that are not searched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from image_gender_classifier.cli.subfolders import SubfolderCount, count_subfolder_pictures


def fill(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_pictures_at_all_levels_but_the_top_are_counted(tmp_path: Path) -> None:
    fill(tmp_path, "top.jpg")
    fill(tmp_path / "a", "1.jpg", "2.JPEG", "notes.txt", "jpg")
    fill(tmp_path / "a" / "b", "3.png")
    fill(tmp_path / ".c", "4.webp")
    os.mkfifo(tmp_path / "a" / "pipe.jpg")  # opening it would block forever
    assert count_subfolder_pictures(tmp_path) == SubfolderCount(4, complete=True)


def test_by_products_are_counted_only_with_hidden(tmp_path: Path) -> None:
    fill(tmp_path / "a", "1.jpg", "._1.jpg")
    fill(tmp_path / "a" / "@eaDir", "2.jpg")
    fill(tmp_path / "__MACOSX", "3.jpg")
    assert count_subfolder_pictures(tmp_path) == SubfolderCount(1, complete=True)
    assert count_subfolder_pictures(tmp_path, hidden=True) == SubfolderCount(4, complete=True)


def test_symbolic_links_to_files_are_counted_but_not_linked_or_skipped_folders(
    tmp_path: Path,
) -> None:
    fill(tmp_path / "elsewhere", "1.jpg")
    fill(tmp_path / "in" / "out", "2.jpg")
    fill(tmp_path / "in" / "a")
    (tmp_path / "in" / "a" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "a" / "3.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for folder in (tmp_path / "in", tmp_path / "link"):
        assert count_subfolder_pictures(folder, skip=[tmp_path / "link" / "out"]) == SubfolderCount(
            1, complete=True
        )
        assert count_subfolder_pictures(folder) == SubfolderCount(2, complete=True)


def test_a_folder_that_cannot_be_listed_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "closed", "1.jpg")
    fill(tmp_path / "open", "2.jpg")
    listed = os.scandir

    def scandir(folder: str) -> object:
        if folder.endswith("closed"):
            raise PermissionError
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert count_subfolder_pictures(tmp_path) == SubfolderCount(1, complete=True)
    assert count_subfolder_pictures(tmp_path / "gone") == SubfolderCount(0, complete=True)


def test_counting_stops_at_a_number_of_entries_or_a_time(tmp_path: Path) -> None:
    fill(tmp_path / "a", *(f"{number}.jpg" for number in range(20)))
    assert count_subfolder_pictures(tmp_path, max_entries=21) == SubfolderCount(20, complete=True)
    assert count_subfolder_pictures(tmp_path, max_entries=11) == SubfolderCount(10, complete=False)
    assert count_subfolder_pictures(tmp_path, max_seconds=-1) == SubfolderCount(0, complete=False)

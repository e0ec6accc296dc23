"""Pictures of a watched folder are ready once, when they are complete."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from shutil import copyfile

import pytest

from image_gender_classifier.cli.arrivals import Arrivals
from image_gender_classifier.scan import list_pictures


def scan(arrivals: Arrivals, folder: Path, hidden: bool = False) -> list[str]:
    """Scans the folder once and marks the ready pictures as classified."""
    ready = arrivals.find_ready(folder, list_pictures(folder, hidden=hidden).pictures)
    for picture in ready:
        arrivals.mark_classified(picture)
    return [picture.file for picture in ready]


def test_a_picture_is_ready_once_after_it_stops_changing(tmp_path: Path) -> None:
    arrivals, picture = Arrivals(), tmp_path / "a.jpg"
    assert scan(arrivals, tmp_path) == []
    picture.write_bytes(b"half")
    assert scan(arrivals, tmp_path) == []
    picture.write_bytes(b"half and half")
    assert scan(arrivals, tmp_path) == []
    assert scan(arrivals, tmp_path) == ["a.jpg"]
    assert scan(arrivals, tmp_path) == []


def test_a_changed_picture_is_ready_again(tmp_path: Path) -> None:
    arrivals, picture = Arrivals(), tmp_path / "a.jpg"
    picture.write_bytes(b"one")
    assert [scan(arrivals, tmp_path) for _ in range(3)] == [[], ["a.jpg"], []]
    before = picture.stat()
    copyfile(picture, tmp_path / "b.tmp")
    (tmp_path / "b.tmp").write_bytes(b"two")
    os.utime(tmp_path / "b.tmp", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "b.tmp").replace(picture)  # the same size and time, but another file
    assert [scan(arrivals, tmp_path) for _ in range(3)] == [[], ["a.jpg"], []]


def test_a_deleted_and_restored_picture_is_ready_again(tmp_path: Path) -> None:
    arrivals, picture = Arrivals(), tmp_path / "a.jpg"
    picture.write_bytes(b"one")
    assert [scan(arrivals, tmp_path) for _ in range(2)] == [[], ["a.jpg"]]
    aside = picture.rename(tmp_path / "aside")
    assert scan(arrivals, tmp_path) == []
    aside.rename(picture)
    assert [scan(arrivals, tmp_path) for _ in range(3)] == [[], ["a.jpg"], []]


def test_a_picture_whose_xml_file_is_renamed_is_ready_again(tmp_path: Path) -> None:
    arrivals = Arrivals()
    (tmp_path / "a.jpg").write_bytes(b"one")
    assert [scan(arrivals, tmp_path) for _ in range(2)] == [[], ["a.jpg"]]
    (tmp_path / "a.png").write_bytes(b"two")
    assert [scan(arrivals, tmp_path) for _ in range(3)] == [[], ["a.jpg", "a.png"], []]


def test_an_unfinished_picture_is_ready_again_after_growing_pauses(tmp_path: Path) -> None:
    arrivals = Arrivals()
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "b.jpg").write_bytes(b"one")
    tried = []
    for number in range(500):
        for picture in arrivals.find_ready(tmp_path, list_pictures(tmp_path).pictures):
            if picture.file == "a.jpg":
                tried.append(number)
                arrivals.mark_unfinished(picture)
            else:
                arrivals.mark_classified(picture)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert len(pauses) >= 3 and pauses[0] > 1
    assert pauses == sorted(set(pauses))
    (tmp_path / "a.jpg").write_bytes(b"changed")
    assert [scan(arrivals, tmp_path) for _ in range(3)] == [[], ["a.jpg"], []]


def test_pauses_between_tries_do_not_grow_for_ever(tmp_path: Path) -> None:
    arrivals = Arrivals()
    (tmp_path / "a.jpg").write_bytes(b"one")
    pictures = list(list_pictures(tmp_path).pictures)
    tried = []
    for number in range(10_000):
        for picture in arrivals.find_ready(tmp_path, pictures):
            tried.append(number)
            arrivals.mark_unfinished(picture)
    assert tried[-1] - tried[-2] == tried[-2] - tried[-3]


def test_a_picture_that_is_deleted_after_the_listing_is_ignored(tmp_path: Path) -> None:
    arrivals, picture = Arrivals(), tmp_path / "a.jpg"
    picture.write_bytes(b"one")
    assert scan(arrivals, tmp_path) == []
    listed = list_pictures(tmp_path).pictures
    picture.unlink()
    assert arrivals.find_ready(tmp_path, listed) == []


@pytest.mark.parametrize(
    "name",
    [".a.jpg.Xy12Zz", ".a.jpg", "a.jpg.part", "a.jpg.CRDOWNLOAD", "a.jpg.opdownload", "._a.jpg"],
)
def test_files_named_as_unfinished_are_ignored(name: str, tmp_path: Path) -> None:
    arrivals, picture = Arrivals(), tmp_path / name
    picture.write_bytes(b"\xff\xd8\xff\xe0 and half of a picture")
    assert [scan(arrivals, tmp_path) for _ in range(3)] == [[], [], []]
    wanted = Arrivals(hidden=True)
    assert [scan(wanted, tmp_path, hidden=True) for _ in range(3)] == [[], [name], []]
    picture.rename(tmp_path / "a.jpg")
    assert [scan(arrivals, tmp_path) for _ in range(2)] == [[], ["a.jpg"]]


def test_pictures_are_ready_again_on_request(tmp_path: Path) -> None:
    arrivals = Arrivals()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"one")
    assert [scan(arrivals, tmp_path) for _ in range(2)] == [[], ["a.jpg", "b.jpg"]]
    arrivals.classify_again({"b.jpg"})
    assert [scan(arrivals, tmp_path) for _ in range(2)] == [["b.jpg"], []]
    arrivals.classify_again({"renamed.jpg"})
    assert [scan(arrivals, tmp_path) for _ in range(2)] == [["a.jpg", "b.jpg"], []]
    arrivals.classify_again(set())
    assert scan(arrivals, tmp_path) == []

"""Reading the XML files of earlier runs, and finding their pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.xml import encode_prediction
from image_gender_classifier.results import Prediction
from image_gender_classifier.review.items import (
    find_missing,
    is_below,
    read_items,
    resolve_picture,
)


def write(path: Path, file: str, status: str = "no_face", modified: int | None = None) -> None:
    path.parent.mkdir(exist_ok=True)
    prediction = Prediction(file, status, "unknown", run="0123456789ab")  # type: ignore[arg-type]
    path.write_bytes(encode_prediction(prediction))
    if modified is not None:
        os.utime(path, (modified, modified))


def test_reads_predictions_of_all_subfolders_sorted_by_picture(tmp_path: Path) -> None:
    write(tmp_path / "sub" / "x.xml", "b.jpg")
    write(tmp_path / "y.xml", "a.jpg")
    write(tmp_path / "z.xml", "B.jpg")
    (tmp_path / "other.xml").write_text("<note/>")
    (tmp_path / "broken.xml").write_text("<image")
    items = read_items(tmp_path)
    assert [item.prediction.file for item in items] == ["B.jpg", "a.jpg", "b.jpg"]
    assert items[2].read_xml() == (tmp_path / "sub" / "x.xml").read_text()


def test_the_newer_file_of_a_picture_counts(tmp_path: Path) -> None:
    write(tmp_path / "a.xml", "a.jpg", "no_face", modified=2_000)
    write(tmp_path / "a.jpg.xml", "a.jpg", "unreadable", modified=1_000)
    (item,) = read_items(tmp_path)
    assert item.prediction.status == "no_face"


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "xml", tmp_path / "elsewhere"
    folder.mkdir()
    write(elsewhere / "secret.xml", "secret.jpg")
    write(folder / "a.xml", "a.jpg")
    (folder / "link.xml").symlink_to(elsewhere / "secret.xml")
    (folder / "links").symlink_to(elsewhere)
    assert [item.prediction.file for item in read_items(folder)] == ["a.jpg"]


def test_a_file_that_became_a_link_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "xml" / "a.xml", "a.jpg")
    (item,) = read_items(tmp_path / "xml")
    (tmp_path / "secret").write_text("secret")
    item.xml.unlink()
    item.xml.symlink_to(tmp_path / "secret")
    assert "secret" not in item.read_xml()


def test_a_folder_without_predictions_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="classify the pictures first"):
        read_items(tmp_path)


@pytest.mark.parametrize("file", ["../a.jpg", "/etc/passwd", "a/../../b.jpg", "a\0b.jpg", "", "."])
def test_paths_out_of_the_folder_are_ignored(file: str, tmp_path: Path) -> None:
    assert not is_below(file)
    if "\0" not in file:
        write(tmp_path / "bad.xml", file)
        write(tmp_path / "good.xml", "a.jpg")
        assert len(read_items(tmp_path)) == 1


def test_resolves_links_inside_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for path in (folder / "a.jpg", folder / "sub" / "b.jpg", tmp_path / "secret.jpg"):
        path.touch()
    (folder / "inside.jpg").symlink_to("sub/b.jpg")
    (folder / "outside.jpg").symlink_to("../secret.jpg")
    (folder / "up").symlink_to("..")
    (tmp_path / "in-too").mkdir()
    (tmp_path / "in-too" / "c.jpg").touch()
    (folder / "neighbour.jpg").symlink_to("../in-too/c.jpg")
    root = os.path.realpath(folder)
    assert resolve_picture(root, "a.jpg") == "a.jpg"
    assert resolve_picture(root, "inside.jpg") == "sub/b.jpg"
    for file in ("outside.jpg", "up/secret.jpg", "neighbour.jpg", "missing.jpg", "sub"):
        assert resolve_picture(root, file) is None


def test_finds_the_missing_pictures(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.jpg", "sub/b.jpg", "\udcff.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("sub")
    files = ["a.jpg", "b.jpg", "sub/b.jpg", "sub/a.jpg", "link/b.jpg", "gone/a.jpg", "\udcff.jpg"]
    assert find_missing(tmp_path, files) == {"b.jpg", "sub/a.jpg", "gone/a.jpg"}

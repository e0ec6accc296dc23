from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.formats import EXTENSIONS
from image_gender_classifier.listing import Unread
from image_gender_classifier.scan import list_pictures

PNG_START = b"\x89PNG\r\n\x1a\n"


def files_in(folder: Path, recursive: bool = False, skip: Collection[Path] = ()) -> list[str]:
    return [picture.file for picture in list_pictures(folder, recursive, skip).pictures]


@pytest.mark.parametrize("extension", sorted(EXTENSIONS))
def test_a_known_extension_in_any_case_makes_a_picture(extension: str, tmp_path: Path) -> None:
    names = [f"a{extension}", f"B{extension.upper()}", extension, f".hidden{extension}"]
    for name in names:
        (tmp_path / name).write_bytes(b"whatever")
    assert files_in(tmp_path) == sorted(names)


@pytest.mark.parametrize("name", ["..jpg", "a..JPG", " .jpg", "a.png.jpg", "a\n.jpg"])
def test_odd_names_with_a_known_extension_make_pictures(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert files_in(tmp_path) == [name]


@pytest.mark.parametrize("name", ["picture", "picture.txt", ".hidden", "picture.xml", "jpg"])
def test_first_bytes_make_a_picture(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PNG_START)
    assert files_in(tmp_path) == [name]


def test_other_files_are_counted_and_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    for name in ("notes.txt", "empty", "jpg", "a.jpg.txt", ".DS_Store"):
        (tmp_path / name).write_bytes(b"text")
    listing = list_pictures(tmp_path)
    assert [picture.file for picture in listing.pictures] == ["a.jpg"]
    assert listing.ignored == 5


def test_what_is_no_regular_file_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "linked_folder.jpg").symlink_to("folder.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.jpg"))
        listing = list_pictures(tmp_path)
    assert listing.total == 0
    assert listing.ignored == 4  # the folder is not a file


def test_a_link_to_a_picture_is_a_picture(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").touch()
    (tmp_path / "link.jpg").symlink_to("real/a.jpg")
    assert files_in(tmp_path) == ["link.jpg"]


def test_a_link_that_cannot_be_followed_does_not_stop_the_listing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "endless.txt").symlink_to("x" * 300)
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    assert files_in(tmp_path) == ["a.jpg"]


def test_links_behind_which_pictures_may_be_missed_are_listed(tmp_path: Path) -> None:
    for folder in ("real", "sub"):
        (tmp_path / folder).mkdir()
    (tmp_path / "real" / "a.jpg").touch()
    for name in ("b.jpg", "sub/c.PNG", "notes.txt"):
        (tmp_path / name).symlink_to("gone")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "sub" / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "fine.jpg").symlink_to("real/a.jpg")
    (tmp_path / "null.jpg").symlink_to("/dev/null")
    (tmp_path / "@eaDir").symlink_to("real")
    (tmp_path / "out").symlink_to(tmp_path.parent)
    skip = [tmp_path.parent]
    flat, deep = list_pictures(tmp_path), list_pictures(tmp_path, True, skip)
    assert (flat.broken_links, flat.folder_links) == (("b.jpg", "loop.jpg"), ())
    assert deep.broken_links == ("b.jpg", "loop.jpg", "sub/c.PNG")
    assert deep.folder_links == ("sub/linked",)
    assert (flat.ignored, deep.ignored) == (6, 8)
    assert list(deep.files) == ["fine.jpg", "real/a.jpg"]


def test_pictures_come_in_byte_order_folder_by_folder(tmp_path: Path) -> None:
    files = ["B.jpg", "a.jpg", "é.jpg", "a/x.jpg", "a/b/y.jpg", "a-b/z.jpg"]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / os.fsdecode(b"\xff.jpg")).touch()
    top = ["B.jpg", "a.jpg", "é.jpg", os.fsdecode(b"\xff.jpg")]
    assert files_in(tmp_path) == top
    assert files_in(tmp_path, recursive=True) == [*top, "a/x.jpg", "a/b/y.jpg", "a-b/z.jpg"]


def test_xml_files_mirror_the_folders_and_clash_only_within_one(tmp_path: Path) -> None:
    for file in ("a.jpg", "sub/a.png", "sub/a.jpg"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    listing = list_pictures(tmp_path, recursive=True)
    assert {picture.file: picture.xml for picture in listing.pictures} == {
        "a.jpg": "a.xml",
        "sub/a.jpg": "sub/a.jpg.xml",
        "sub/a.png": "sub/a.png.xml",
    }


def test_folders_without_pictures_are_not_kept(tmp_path: Path) -> None:
    for file in ("a/notes.txt", "b/a.jpg", "b/b.jpg", "c/d/e.jpg"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"text")
    listing = list_pictures(tmp_path, recursive=True)
    assert [folder.path for folder in listing.folders] == ["b", "c/d"]
    assert list(listing.files) == ["b/a.jpg", "b/b.jpg", "c/d/e.jpg"]
    assert (listing.total, listing.ignored) == (3, 1)


def test_an_output_folder_inside_the_input_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").touch()
    (tmp_path / "link").symlink_to("out")
    assert files_in(tmp_path, recursive=True) == ["out/a.jpg"]
    assert files_in(tmp_path, recursive=True, skip=[tmp_path / "link"]) == []


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_that_cannot_be_read_is_a_usage_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=name):
        list_pictures(tmp_path / name)


def refusing(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Makes folders unreadable, to root too."""
    scandir = os.scandir

    def listed(folder: Path) -> object:
        if Path(folder) in folders:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", listed)


def test_a_subfolder_that_cannot_be_read_is_skipped_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("a.jpg", "lost+found/b.jpg", "z/c.jpg"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    refusing(monkeypatch, tmp_path / "lost+found")
    listing = list_pictures(tmp_path, recursive=True)
    assert list(listing.files) == ["a.jpg", "z/c.jpg"]
    assert listing.unread == (Unread("lost+found", "Permission denied"),)
    assert list_pictures(tmp_path).unread == ()
    refusing(monkeypatch, tmp_path)
    with pytest.raises(UsageError, match="Permission denied"):
        list_pictures(tmp_path, recursive=True)


def test_a_subfolder_that_vanishes_meanwhile_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.jpg").touch()
    scandir = os.scandir

    def vanishing(folder: Path) -> object:
        if folder == tmp_path / "sub":
            folder.rmdir()
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", vanishing)
    listing = list_pictures(tmp_path, recursive=True)
    assert list(listing.files) == ["a.jpg"]
    assert listing.unread == (Unread("sub", "No such file or directory"),)


def test_what_was_listed_before_a_folder_failed_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.jpg").touch()
    scandir = os.scandir

    @contextmanager
    def failing(folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        def entries() -> Iterator[os.DirEntry[str]]:
            with scandir(folder) as found:
                yield from found
            if folder != tmp_path:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        yield entries()

    monkeypatch.setattr(os, "scandir", failing)
    listing = list_pictures(tmp_path, recursive=True)
    assert list(listing.files) == ["sub/a.jpg"]
    assert listing.unread == (Unread("sub", "Input/output error"),)


def test_by_products_are_skipped_unless_wanted(tmp_path: Path) -> None:
    clutter = [
        *("._anna.jpg", "anna.jpg.part", "anna.jpg.crdownload", "anna.jpg.OPDOWNLOAD"),
        *("Thumbs.db", "@eaDir/anna.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/._anna.jpg"),
        *("__MACOSX/anna.jpg", ".Trash-1000/files/old.jpg", "sub/@eaDir/x.jpg"),
    ]
    for file in ("anna.jpg", ".anna.jpg", "eadir/a.jpg", "sub/b.jpg", *clutter):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(PNG_START)
    listing = list_pictures(tmp_path, recursive=True)
    assert list(listing.files) == [".anna.jpg", "anna.jpg", "eadir/a.jpg", "sub/b.jpg"]
    assert listing.ignored == 5
    everything = list_pictures(tmp_path, recursive=True, hidden=True)
    assert set(everything.files) == {*listing.files, *clutter}

"""Lists the pictures of a folder and its subfolders in a stable order."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.formats import EXTENSIONS, SNIFFED_BYTES, sniff
from image_gender_classifier.listing import Listing, PictureFolder, Unread, join_path
from image_gender_classifier.system import logs
from image_gender_classifier.system.junk import is_junk_file, is_junk_folder

_ENDINGS = tuple(EXTENSIONS)
# Error numbers (errno) of a deleted file or of a symbolic link that cannot be followed.
_LEADS_NOWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})


def list_pictures(
    folder: Path, recursive: bool = False, skip: Collection[Path] = (), hidden: bool = False
) -> Listing:
    """Lists the pictures of a folder.

    A picture is a regular file, or a symbolic link to one, that has a known extension
    (case-insensitive) or starts with the signature (magic number) of a known format. Symbolic links
    to folders are not followed.

    Args:
        folder: The input folder.
        recursive: Whether to include subfolders.
        skip: Subfolders to skip, such as an output folder inside the input folder.
        hidden: Whether to include system junk files and partial downloads; see `system.junk`.

    Returns:
        The pictures, the number of other files, the subfolders and files that cannot be read, and
        the symbolic links that may be missed. The output subfolders have the paths of the input
        folders; `choose_output_names` may choose others.

    Raises:
        UsageError: The input folder cannot be read completely.
    """
    if "\0" in str(folder):
        raise UsageError(f"{folder}: the folder cannot be read (NUL in the path); check the path")
    skipped = {os.path.realpath(path) for path in skip}
    found: list[PictureFolder] = []
    unread: list[Unread] = []
    broken_links: list[str] = []
    folder_links: list[str] = []
    ignored = 0
    queue = [""]
    while queue:
        parent = queue.pop()
        scanned = _scan_folder(folder / parent, hidden)
        if scanned.fault is not None:
            if not parent:
                raise UsageError(
                    f"{folder}: the folder cannot be read ({scanned.fault}); check that it exists "
                    "and that you may read it"
                )
            unread.append(Unread(parent, scanned.fault))
        unread += [
            Unread(join_path(parent, name), reason, "file")
            for name, reason in sorted(scanned.unread.items())
        ]
        ignored += scanned.others
        broken_links += [join_path(parent, name) for name in sorted(scanned.broken_links)]
        if scanned.pictures:
            found.append(PictureFolder(parent, tuple(sorted(scanned.pictures, key=os.fsencode))))
        if recursive:
            linked = [join_path(parent, name) for name in sorted(scanned.folder_links)]
            folder_links += [
                link for link in linked if os.path.realpath(folder / link) not in skipped
            ]
            below = [join_path(parent, name) for name in sorted(scanned.folders, key=os.fsencode)]
            queue += [
                subfolder
                for subfolder in reversed(below)
                if not skipped or os.path.realpath(folder / subfolder) not in skipped
            ]
    links = tuple(broken_links), tuple(folder_links)
    return Listing(tuple(found), ignored, tuple(unread), *links)


def is_picture_name(name: str) -> bool:
    """Returns whether a file name has a known image extension (case-insensitive)."""
    return name.lower().endswith(_ENDINGS)


class _Scanned(NamedTuple):
    """The content of one folder, unsorted and without its subfolders' contents.

    Attributes:
        pictures: File names of the pictures.
        folders: Names of the subfolders, without system junk folders unless these are requested.
        broken_links: Names of symbolic links with a known extension that lead nowhere.
        folder_links: Names of symbolic links to folders.
        unread: Why a file that may be a picture cannot be read, by its name.
        others: Number of other files, including these links and files.
        fault: Error message if the folder could not be read completely; otherwise None.
    """

    pictures: list[str]
    folders: list[str]
    broken_links: list[str]
    folder_links: list[str]
    unread: dict[str, str]
    others: int
    fault: str | None


def _scan_folder(folder: Path, hidden: bool) -> _Scanned:
    """Lists the pictures and subfolders of one folder and counts its other files.

    Args:
        folder: The folder.
        hidden: See `list_pictures`.
    """
    pictures: list[str] = []
    folders: list[str] = []
    broken_links: list[str] = []
    folder_links: list[str] = []
    unread: dict[str, str] = {}
    others = 0
    fault = None
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_folder(entry):
                    if hidden or not is_junk_folder(entry.name):
                        folders.append(entry.name)
                    else:
                        logs.info("skipping %s: a system junk folder (see --hidden)", entry.path)
                elif not hidden and is_junk_file(entry.name):
                    others += 1
                    text = "skipping %s: system junk or a partial download (see --hidden)"
                    logs.info(text, entry.path)
                elif _is_picture(entry, unread):
                    pictures.append(entry.name)
                else:
                    others += 1
                    logs.info("skipping %s: not a picture", entry.path)
                    if _is_folder_link(entry) and (hidden or not is_junk_folder(entry.name)):
                        folder_links.append(entry.name)
                    elif _is_broken_link(entry) and is_picture_name(entry.name):
                        broken_links.append(entry.name)
    except OSError as error:
        fault = error.strerror or str(error)
    return _Scanned(pictures, folders, broken_links, folder_links, unread, others, fault)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Returns whether an entry is a folder; False for symbolic links and deleted entries."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # deleted, or no permission
        return False


def _is_folder_link(entry: os.DirEntry[str]) -> bool:
    """Returns whether an entry is a symbolic link to a folder."""
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a loop
        return False


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    """Returns whether an entry is a symbolic link that cannot be followed."""
    try:
        return entry.is_symlink() and not Path(entry.path).exists()
    except OSError:  # too long, for example
        return True


def _is_picture(entry: os.DirEntry[str], unread: dict[str, str]) -> bool:
    """Returns whether a file is a picture (see `list_pictures`).

    Opens the file only if its name has no known extension.

    Args:
        entry: The file.
        unread: Gets the reason if the file may be a picture, but cannot be read.
    """
    known = is_picture_name(entry.name)
    try:
        if not entry.is_file():
            return False
        if known:
            return True
        with Path(entry.path).open("rb", buffering=0) as file:
            return sniff(file.read(SNIFFED_BYTES)) is not None
    except OSError as error:
        if error.errno in _LEADS_NOWHERE:
            return False
        if not known:
            unread[entry.name] = error.strerror or str(error)
        return known  # its prediction says why

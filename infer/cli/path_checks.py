"""Checks that the paths in the command line can be used."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.errors import UsageError


def check_folder(folder: Path, option: str, access: int) -> None:
    """Checks that a folder exists and may be accessed.

    Args:
        folder: The folder.
        option: The option that names it, for messages.
        access: The access that is needed, as for `os.access`.

    Raises:
        UsageError: The folder does not exist, is not a folder or cannot be accessed.
    """
    mode = read_mode(folder, option)
    if mode is None:
        remedy = "check the path" if access & os.R_OK else "create it"
        raise UsageError(f"{option} {folder}: the folder does not exist; {remedy}")
    if not stat.S_ISDIR(mode):
        raise UsageError(f"{option} {folder}: not a folder; give a folder")
    if not os.access(folder, access):
        raise UsageError(f"{option} {folder}: {_describe_refusal(folder, access)}")


def _describe_refusal(folder: Path, access: int) -> str:
    """Returns why a folder cannot be accessed, and the remedy; arguments as for `check_folder`."""
    if access & os.R_OK:
        return "permission denied; the folder must be readable (chmod u+rx)"
    with suppress(OSError):
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return "read-only file system; mount it for writing, or give another folder"
    return "permission denied; the folder must be writable (chmod u+wx)"


def check_file(path: Path, option: str) -> None:
    """Checks that a path can become an output file, which replaces an existing regular file.

    Raises:
        UsageError: The file name is `-`, the folder does not exist, something other than a regular
            file has this path, or the path cannot be examined.
    """
    if path.name == "-":
        raise UsageError(f"{option} {path}: standard output is not supported; give another path")
    if read_mode(path.parent, option) is None:
        raise UsageError(f"{option} {path}: the folder {path.parent} does not exist; create it")
    mode = read_mode(path, option)
    if mode is not None and not stat.S_ISREG(mode):  # writing would replace a device
        raise UsageError(f"{option} {path}: not a regular file; give another path")
    if path.is_symlink():  # writing would replace the symbolic link
        raise UsageError(f"{option} {path}: this is a symbolic link; give the path of its target")


def check_page(path: Path, option: str, pictures: Path, output: Path) -> None:
    """Checks that a path can become a page with a folder of thumbnails next to it.

    Args:
        path: Path of the HTML file.
        option: The option that names it, for messages.
        pictures: The input folder.
        output: The folder of XML files; no run classifies pictures in it if it is below `pictures`.

    Raises:
        UsageError: See `check_file`; or a later run would classify the thumbnails.
    """
    check_file(path, option)
    parents = [folder := path.parent.resolve(), *folder.parents]
    source, xml = pictures.resolve(), output.resolve()
    skipped = xml in parents and source in xml.parents
    if source in parents and not skipped:
        raise UsageError(
            f"{option} {path}: is in the folder of pictures, where its thumbnails would be "
            "classified; choose another folder"
        )


def read_mode(path: Path, option: str) -> int | None:
    """Returns the `st_mode` of a path, following symbolic links; None if nothing exists there.

    Raises:
        UsageError: The path cannot be examined.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None
    except OSError as error:
        raise UsageError(
            f"{option} {path}: the path cannot be used ({error.strerror}); check it"
        ) from None

"""Reads single picture files; a file that cannot be read is a picture with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.cluster.rows import Picture
from image_gender_classifier.cluster.storage import Place, describe_error, list_files, open_file
from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.files import NO_SUCH_FILE, is_parent_missing, read_bytes
from image_gender_classifier.imaging.formats import SNIFFED_BYTES, sniff
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.scan import is_picture_name, list_pictures
from image_gender_classifier.system.junk import is_junk_file, is_junk_folder

_THREADS = 8  # that read files, each of which may have --max-bytes


class Found(NamedTuple):
    """The files of an input.

    Attributes:
        paths: Their paths in the file system.
        unread: The subfolders and files that cannot be read, with the reason.
    """

    paths: list[bytes]
    unread: tuple[str, ...] = ()


def find_pictures(place: Place) -> Found:
    """Lists the pictures, and remotely the files whose names do not tell whether they are.

    Raises:
        UsageError: There is no such folder or file, or it cannot be read.
    """
    if place.is_local and os.path.isdir(place.path):  # noqa: PTH112  Path's may raise OSError
        listing = list_pictures(Path(place.path), recursive=True)
        paths = [os.fsencode(f"{place.path.rstrip('/')}/{file}") for file in listing.files]
        unread = (f"{place.path}/{folder.path}: {folder.reason}" for folder in listing.unread)
        return Found(paths, tuple(unread))
    found = list_files(place)
    return Found([path for path in found if not is_junk(os.fsdecode(_strip(place, path)))])


def is_junk(path: str) -> bool:
    """Returns whether a file, or a folder above it, is system junk, by its name."""
    *folders, name = path.strip("/").split("/")
    return is_junk_file(name) or any(map(is_junk_folder, folders))


def name_file(place: Place, path: bytes) -> tuple[bytes, bytes]:
    """Returns the URI of a file, and its path relative to the input."""
    return place.prefix.encode() + path, _strip(place, path) or path.rpartition(b"/")[2]


def _strip(place: Place, path: bytes) -> bytes:
    """Returns the path of a file relative to the input; empty if it is the input."""
    return path.removeprefix(os.fsencode(place.path)).lstrip(b"/")


def read_files(place: Place, limits: Limits, paths: Iterable[bytes]) -> Iterator[Picture]:
    """Yields the pictures of files, which are read in threads, a few ahead."""
    remaining = iter(paths)
    with ThreadPoolExecutor(_THREADS) as threads:
        while some := list(islice(remaining, _THREADS)):
            for picture in threads.map(partial(_read_file, place, limits), some):
                if picture is not None:
                    yield picture


def _read_file(place: Place, limits: Limits, path: bytes) -> Picture | None:
    """Reads a file; returns None for a remote one that is no picture."""
    picture = Picture(*name_file(place, path), None)
    try:
        if not place.is_local:
            return _read_object(place, limits, path, picture)
        data = read_bytes(Path(os.fsdecode(path)), limits)
        return picture._replace(size=len(data), bytes=data)
    except Unfinished as error:
        return picture._replace(fault=str(error))
    except UnreadablePicture as error:
        if str(error) == NO_SUCH_FILE and is_parent_missing(os.fsdecode(path)):
            return picture._replace(fault="its folder is not there on this node; mount it")
        return picture._replace(size=_find_size(path), problem=str(error))


def _find_size(path: bytes) -> int | None:
    try:
        return Path(os.fsdecode(path)).stat().st_size
    except (OSError, ValueError):
        return None


def _read_object(place: Place, limits: Limits, path: bytes, picture: Picture) -> Picture | None:
    """Reads a remote file; returns None if it is no picture."""
    try:
        with open_file(place, path) as source:
            start = b""
            if not is_picture_name(os.fsdecode(path)):
                start = source.read(SNIFFED_BYTES)
                if sniff(start) is None:
                    return None
            picture = picture._replace(size=source.seek(0, os.SEEK_END))
            source.seek(len(start))
            limits.check_bytes(picture.size or 0)
            return picture._replace(bytes=start + source.read())
    except UnreadablePicture as error:
        return picture._replace(problem=str(error))
    except FileNotFoundError:
        return picture._replace(problem=NO_SUCH_FILE)
    except Exception as error:  # fsspec passes on those of many libraries
        return picture._replace(
            fault=f"the file cannot be read at present ({describe_error(error)})"
        )

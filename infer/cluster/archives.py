"""Reads the pictures in tar archives, such as WebDataset shards."""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator

from image_gender_classifier.cluster.files import Found, is_junk, name_file
from image_gender_classifier.cluster.formats import TARS
from image_gender_classifier.cluster.rows import Picture
from image_gender_classifier.cluster.storage import Place, describe_error, list_files, open_stream
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.formats import SNIFFED_BYTES, sniff
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.scan import is_picture_name

_NAMES = tuple(map(os.fsencode, TARS))
_DAMAGE = (tarfile.TarError, EOFError, ValueError, zlib.error)


def find_archives(place: Place) -> Found:
    """Lists the tar archives.

    Raises:
        UsageError: There is no such folder or file, or it cannot be read.
    """
    return Found([path for path in list_files(place) if path.lower().endswith(_NAMES)])


def read_archives(place: Place, limits: Limits, paths: Iterable[bytes]) -> Iterator[Picture]:
    """Yields the pictures in archives; one more with the reason if an archive is damaged."""
    for path in paths:
        uri, file = name_file(place, path)
        try:
            with (
                open_stream(place, path) as stream,
                tarfile.open(fileobj=stream, mode="r|*") as archive,
            ):
                while (member := archive.next()) is not None:
                    archive.members = []  # type: ignore[attr-defined]  # else all stay in memory
                    found = _read_member(archive, member, limits)
                    if found is not None:
                        name = os.fsencode(member.name)
                        yield found._replace(path=uri + b"/" + name, file=file + b"/" + name)
        except _DAMAGE as error:
            problem = f"the archive is damaged ({describe_error(error)}); pack it again"
            yield Picture(uri, file, None, problem=problem)
        except Exception as error:  # fsspec passes on those of many libraries
            why = f"the archive cannot be read at present ({describe_error(error)})"
            yield Picture(uri, file, None, fault=why)


def _read_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, limits: Limits
) -> Picture | None:
    """Reads a file in an archive, without its name; returns None if it is no picture."""
    if is_junk(member.name):
        return None
    if (member.islnk() or member.issym()) and is_picture_name(member.name):
        kind, option = ("hard", "hard-") if member.islnk() else ("symbolic", "")
        target = escape_text(member.linkname)
        problem = f"a {kind} link to {target}; pack with --{option}dereference"
        return Picture(b"", b"", None, problem=problem)
    if not member.isfile():
        return None
    source = archive.extractfile(member)
    if source is None:
        return None
    start = source.read(SNIFFED_BYTES)
    if not is_picture_name(member.name) and sniff(start) is None:
        return None
    try:
        limits.check_bytes(member.size)
    except UnreadablePicture as error:
        return Picture(b"", b"", member.size, problem=str(error))
    return Picture(b"", b"", member.size, start + source.read())

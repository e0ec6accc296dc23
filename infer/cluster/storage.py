"""Opens folders and object stores by their URI, and lists, reads and writes files there."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pyarrow import ArrowException
from pyarrow import fs as file_systems

from image_gender_classifier.errors import OutputError, UsageError
from image_gender_classifier.outputs.escaping import escape_message

BUFFER = 2**23
"""Bytes that are read ahead from a large file."""

_WRITE_REMEDY = "; check the permissions and the free space"
_PARTIAL = "_partial-"  # readers of Parquet folders ignore names that begin with _


class Place(NamedTuple):
    """A folder, a file or a prefix in a file system.

    Attributes:
        uri: The URI or path that the user gave, without a query, for messages.
        files: The file system.
        path: The path in it.
        prefix: Begins the URI of each file, before its path in the file system; empty for local
            files.
    """

    uri: str
    files: file_systems.FileSystem
    path: str
    prefix: str

    @property
    def is_local(self) -> bool:
        """Whether the file system is that of this machine."""
        return isinstance(self.files, file_systems.LocalFileSystem)


def open_place(uri: str) -> Place:
    """Opens a local path or a URI that Apache Arrow or fsspec knows, such as `s3://bucket/photos`.

    Raises:
        UsageError: The URI cannot be used.
    """
    if "://" not in uri:
        if not uri:  # an unset variable in a script
            raise UsageError("the path is empty; give . for the current folder")
        return Place(uri, file_systems.LocalFileSystem(), os.path.abspath(uri), "")  # noqa: PTH100
    shown = re.sub("//[^/]*@", "//", uri.partition("?")[0]).rstrip("/")  # without a password
    try:
        files, path = file_systems.FileSystem.from_uri(uri)
    except (ArrowException, OSError, ValueError) as error:
        files, path = _open_with_fsspec(uri, shown, error)
    path = path.rstrip("/") or path
    if isinstance(files, file_systems.LocalFileSystem):
        return Place(shown, files, path, "")
    prefix = shown[: -len(path)] if shown.endswith(path) else f"{uri.partition('://')[0]}://"
    return Place(shown, files, path, prefix)


def _open_with_fsspec(
    uri: str, shown: str, cause: Exception
) -> tuple[file_systems.FileSystem, str]:
    why = describe_error(cause)
    try:
        import fsspec

        found, path = fsspec.core.url_to_fs(uri)
    except ImportError as error:
        raise UsageError(f"{shown}: cannot be opened ({why}; fsspec: {error})") from None
    except Exception as error:
        raise UsageError(
            f"{shown}: cannot be opened ({describe_error(error)}); check the URI"
        ) from None
    return file_systems.PyFileSystem(file_systems.FSSpecHandler(found)), path


def list_files(place: Place) -> list[bytes]:
    """Lists the paths of the files in a folder or prefix and all below it, sorted; one for a file.

    Raises:
        UsageError: There is no such folder or file, or it cannot be read.
    """
    try:
        return sorted(_list_local(place.path) if place.is_local else _list_remote(place))
    except FileNotFoundError:
        raise UsageError(f"{place.uri}: there is no such folder; check the URI") from None
    except Exception as error:  # fsspec passes on those of many libraries
        raise UsageError(f"{place.uri}: cannot be read ({describe_error(error)})") from None


def _list_local(path: str) -> Iterator[bytes]:
    """Yields the paths of local files, which Arrow would have to be UTF-8."""
    if not Path(path).is_dir():
        Path(path).stat()
        yield os.fsencode(path)
        return

    def fail(error: OSError) -> NoReturn:
        raise error

    for folder, _, names in os.walk(path, onerror=fail):
        for name in names:
            file = Path(folder, name)
            if file.is_file():
                yield os.fsencode(file)


def _list_remote(place: Place) -> Iterator[bytes]:
    (there,) = place.files.get_file_info([place.path])
    if there.type == file_systems.FileType.NotFound:
        raise FileNotFoundError(place.path)
    if there.is_file:
        yield place.path.encode()
        return
    selector = file_systems.FileSelector(place.path, recursive=True)
    yield from (info.path.encode() for info in place.files.get_file_info(selector) if info.is_file)


def open_stream(place: Place, path: bytes) -> Any:
    """Opens a binary file to read it from its start to its end.

    Raises:
        OSError: It cannot be opened.
    """
    if place.is_local:
        return Path(os.fsdecode(path)).open("rb")
    # Without a buffer, an object store gets a request for each read.
    return place.files.open_input_stream(path.decode(), compression=None, buffer_size=BUFFER)


def open_file(place: Place, path: bytes) -> Any:
    """Opens a binary file to read it in any order; each read is a request to an object store.

    Raises:
        OSError: It cannot be opened.
    """
    if place.is_local:
        return Path(os.fsdecode(path)).open("rb")
    return place.files.open_input_file(path.decode())


def list_names(place: Place) -> list[str]:
    """Lists the names of the files in a folder, sorted; none if there is no such folder.

    Raises:
        OutputError: It cannot be read.
    """
    with output_errors(place.uri, "read"):
        selector = file_systems.FileSelector(place.path, allow_not_found=True)
        found = place.files.get_file_info(selector)
    return sorted(info.base_name for info in found if info.is_file)


def create_folder(place: Place) -> None:
    """Creates a folder, with those above it.

    Raises:
        OutputError: It cannot be created.
    """
    with output_errors(place.uri, "written", _WRITE_REMEDY):
        place.files.create_dir(place.path, recursive=True)


def write_file(place: Place, name: str, data: bytes) -> None:
    """Writes a file in a folder, whole or not at all; replaces an earlier one.

    Object stores, too, may keep the part of an object that a killed process has sent. Therefore the
    file gets its name only after it has been read back.

    Raises:
        OutputError: The file cannot be written.
    """
    partial = f"{place.path}/{_PARTIAL}{uuid.uuid4().hex}"
    with output_errors(place.uri, "written", _WRITE_REMEDY):
        try:
            with place.files.open_output_stream(partial) as file:
                file.write(data)
            with place.files.open_input_stream(partial) as file:
                if file.read() != data:
                    raise OSError("what was written reads back differently")
            place.files.move(partial, f"{place.path}/{name}")
        except BaseException:
            with suppress(Exception):
                place.files.delete_file(partial)
            raise


def remove_partial_files(place: Place) -> None:
    """Removes the incomplete files that killed processes left in a folder.

    A process that is still writing one fails, so it cannot add rows after the next run has begun.

    Raises:
        OutputError: The folder cannot be read.
    """
    for name in list_names(place):
        if name.startswith(_PARTIAL):
            with suppress(Exception):
                place.files.delete_file(f"{place.path}/{name}")


@contextmanager
def output_errors(where: str, done: str, remedy: str = "") -> Iterator[None]:
    """Converts the exceptions of file systems to `OutputError`.

    Any `Exception`, as fsspec passes on those of many libraries.

    Args:
        where: The URI for the message.
        done: What cannot be done, such as `read`.
        remedy: Ends the message.
    """
    try:
        yield
    except Exception as error:
        why = describe_error(error)
        raise OutputError(f"{where}: cannot be {done} ({why}){remedy}") from None


def describe_error(error: BaseException) -> str:
    """Returns the reason of an error in one line; it may become a column, which is UTF-8."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return escape_message(" ".join(reason.split()))

"""Base class of the tables: files with one row per picture, written atomically."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from image_gender_classifier.outputs.atomic import (
    create_partial,
    hold_lock_until_renamed,
    make_write_error,
    partial_path,
    read_regular_file,
    remove_leftovers,
    remove_partial,
)
from image_gender_classifier.outputs.output import Output, Row

_INTERRUPTED = ".partial"


class Table(Output):
    """A text or binary file with one row per picture.

    Args:
        path: The file; an existing one is replaced when the table is closed.
        encode: Encodes a row; returns `b""` for a picture that the table omits.
        header: First bytes of the file.
        footer: Last bytes of the file.
        start: How every table of this kind starts; `header` unless given.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        encode: Callable[[Row], bytes],
        header: bytes = b"",
        footer: bytes = b"",
        start: bytes = b"",
    ) -> None:
        self._path = path
        self._partial = partial_path(path)
        self._encode = encode
        self._footer = footer
        self._start = start or header
        self._fault: str | None = None
        self._is_empty = True
        with self._output_errors():
            remove_leftovers(path.parent)
            self._file = os.fdopen(create_partial(self._partial), "wb")
            self._file.write(header)

    def write(self, row: Row) -> None:
        """Appends the row of a picture."""
        with self._output_errors():
            data = self._encode(row)
            self._file.write(data)
            self._is_empty &= not data

    def close(self) -> None:
        """Renames the file to its final path, unless a row could not be written."""
        with self._output_errors():
            self._finish(self._path)
        path = interrupted_path(self._path)
        with suppress(OSError):  # the complete table also contains the rows of an interrupted run
            while os.path.lexists(path):
                if self._is_table(path):
                    path.unlink()
                path = interrupted_path(path)

    def abandon(self) -> Path | None:
        """Saves the rows written so far separately; an existing table is kept.

        Returns:
            `interrupted_path`, with its suffix repeated if another file has that name, or None if
            there are no rows or they cannot be saved.
        """
        path = interrupted_path(self._path)
        while os.path.lexists(path) and not self._is_table(path):
            path = interrupted_path(path)
        with suppress(OSError):
            if self._is_empty:
                self._fault = "the table has no rows"
            self._finish(path)
            return path
        return None

    def _is_table(self, path: Path) -> bool:
        """Returns whether a file starts like a table of this kind."""
        try:
            return read_regular_file(path, len(self._start)) == self._start
        except OSError:
            return False

    def _finish(self, path: Path) -> None:
        try:
            with hold_lock_until_renamed(self._file):
                self._file.write(self._footer)
                self._file.close()
                if self._fault is not None:
                    raise OSError(None, self._fault)
                self._partial.replace(path)
        except BaseException:
            remove_partial(self._partial)
            raise

    @contextmanager
    def _output_errors(self) -> Iterator[None]:
        """Converts `OSError` to `OutputError`."""
        try:
            yield
        except OSError as error:
            self._fault = error.strerror
            raise make_write_error(self._path, error) from None


def interrupted_path(path: Path) -> Path:
    """Returns the path of the rows of an interrupted run: that of the table plus `.partial`."""
    return path.with_name(f"{path.name}{_INTERRUPTED}")

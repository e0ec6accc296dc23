"""A file that grows by one row per picture and gets its name when the run is complete."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from image_gender_classifier.outputs.atomic import (
    cannot_write,
    closed_and_locked,
    create,
    discard,
    partial_path,
    remove_leftovers,
)
from image_gender_classifier.outputs.output import Output, Row

_INTERRUPTED = ".partial"


class Table(Output):
    """A text or binary file of rows.

    Args:
        path: The file; an earlier one is replaced when the table is closed.
        encode: Encodes a row; empty for a picture that the table leaves out.
        header: First bytes of the file.
        footer: Last bytes of the file.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(
        self, path: Path, encode: Callable[[Row], bytes], header: bytes = b"", footer: bytes = b""
    ) -> None:
        self._path = path
        self._partial = partial_path(path)
        self._encode = encode
        self._footer = footer
        self._fault: str | None = None
        self._is_empty = True
        with self._output_errors():
            remove_leftovers(path.parent)
            self._file = os.fdopen(create(self._partial), "wb")
            self._file.write(header)

    def write(self, row: Row) -> None:
        """Adds a row."""
        with self._output_errors():
            data = self._encode(row)
            self._file.write(data)
            self._is_empty &= not data

    def close(self) -> None:
        """Gives the file its name, unless a row could not be written."""
        with self._output_errors():
            self._finish(self._path)
        with suppress(OSError):  # the rows of an interrupted run are in the whole table too
            interrupted_path(self._path).unlink()

    def abandon(self) -> Path | None:
        """Keeps the rows of an interrupted run under another name, and the earlier file."""
        path = interrupted_path(self._path)
        with suppress(OSError):
            if self._is_empty:
                self._fault = "it has no row"
            self._finish(path)
            return path
        return None

    def _finish(self, path: Path) -> None:
        try:
            with closed_and_locked(self._file):
                self._file.write(self._footer)
                self._file.close()
                if self._fault is not None:
                    raise OSError(None, self._fault)
                self._partial.replace(path)
        except BaseException:
            discard(self._partial)
            raise

    @contextmanager
    def _output_errors(self) -> Iterator[None]:
        """Turns `OSError` into `OutputError`."""
        try:
            yield
        except OSError as error:
            self._fault = error.strerror
            raise cannot_write(self._path, error) from None


def interrupted_path(path: Path) -> Path:
    """Returns the name that the rows of an interrupted run get."""
    return path.with_name(f"{path.name}{_INTERRUPTED}")

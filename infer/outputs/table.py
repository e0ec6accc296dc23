"""Base class of tables: outputs with one row per picture in a single file, written atomically."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from image_gender_classifier.outputs.atomic import (
    create_partial,
    hold_lock_until_renamed,
    make_partial_path,
    make_write_error,
    read_regular_file,
    remove_leftovers,
    remove_partial,
)
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.settings import STANDARD_OUTPUT

_INTERRUPTED = ".partial"


class Table(Output):
    """A table: a file with one row per picture, such as CSV.

    Args:
        path: The file; `close` replaces an existing one.
        encode: Encodes a row; may return `b""` and keep the row for a later call.
        header: First bytes of the file.
        footer: Returns the last bytes of the file, with the rows that `encode` has kept.
        start: Possible first bytes of a table of this kind that has rows, by which the tables of
            interrupted runs are recognised; by default only `header`.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        encode: Callable[[Row], bytes],
        header: bytes = b"",
        footer: Callable[[], bytes] = bytes,
        start: tuple[bytes, ...] = (),
    ) -> None:
        self._path = path
        self._partial = make_partial_path(path.parent)
        self._encode = encode
        self._footer = footer
        self._start = start or (header,)
        self._fault: str | None = None
        self._is_empty = True
        with self._output_errors():
            remove_leftovers(path.parent)
            self._file = os.fdopen(create_partial(self._partial), "wb")
            self._file.write(header)

    def write(self, row: Row) -> None:
        """Appends the row of a picture.

        Raises:
            OutputError: The file cannot be written; `close` then fails too.
        """
        with self._output_errors():
            self._file.write(self._encode(row))
            self._is_empty = False

    def close(self) -> None:
        """Completes and renames the file, and removes the tables of interrupted runs.

        Raises:
            OutputError: The file cannot be written, or an earlier `write` failed.
        """
        with self._output_errors():
            self._finish(self._path)
        path = interrupted_path(self._path)
        with suppress(OSError):  # the table of a complete run has their rows too
            while os.path.lexists(path):
                if self._is_table(path):
                    path.unlink()
                path = interrupted_path(path)

    def abandon(self) -> Path | None:
        """Saves the rows written so far in a separate file; a table of an earlier run is kept.

        Returns:
            The path of that file: `interrupted_path`, applied again while the path is that of
            another kind of file. None if there are no rows or they cannot be saved.
        """
        if self._is_empty:
            self._discard()
            return None
        path = interrupted_path(self._path)
        while os.path.lexists(path) and not self._is_table(path):
            path = interrupted_path(path)
        with suppress(OSError):
            self._finish(path)
            return path
        return None

    def _is_table(self, path: Path) -> bool:
        """Returns whether a file is a table of this kind, by its first bytes."""
        try:
            return read_regular_file(path, max(map(len, self._start))).startswith(self._start)
        except OSError:
            return False

    def _finish(self, path: Path) -> None:
        """Writes the footer, closes the file and renames it to `path`.

        Raises:
            OSError: The file or one of its rows cannot be written. The partial file is removed.
        """
        try:
            if self._fault is not None:
                raise OSError(None, self._fault)
            with hold_lock_until_renamed(self._file):
                self._file.write(self._footer())
                self._file.close()
                self._partial.replace(path)
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        """Closes and removes the partial file; ignores errors."""
        with suppress(OSError):  # rows that are still in the buffer may not fit on the disk
            self._file.close()
        remove_partial(self._partial)

    @contextmanager
    def _output_errors(self) -> Iterator[None]:
        """Converts `OSError` to `OutputError`, and keeps its reason so that `_finish` fails."""
        try:
            yield
        except OSError as error:
            self._fault = error.strerror or str(error)
            raise make_write_error(self._path, error) from None


def open_table(
    path: Path,
    encode: Callable[[Row], bytes],
    header: bytes = b"",
    start: tuple[bytes, ...] = (),
) -> Output:
    """Opens a table that can also be written to standard output; arguments as for `Table`."""
    if path != STANDARD_OUTPUT:
        return Table(path, encode, header, start=start)
    from image_gender_classifier.outputs.standard_output import StandardOutput  # rarely needed

    return StandardOutput(encode, header)


def interrupted_path(path: Path) -> Path:
    """Returns the path for the rows of an interrupted run: the table's path plus `.partial`."""
    return path.with_name(f"{path.name}{_INTERRUPTED}")

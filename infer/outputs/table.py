"""A file that grows by one row per picture and gets its name when the run ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.atomic import create, discard, partial_path, remove_leftovers
from image_gender_classifier.outputs.output import Output, Row


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
        with self._output_errors():
            remove_leftovers(path.parent)
            self._file = os.fdopen(create(self._partial), "wb")
            self._file.write(header)

    def write(self, row: Row) -> None:
        """Adds a row."""
        with self._output_errors():
            self._file.write(self._encode(row))

    def close(self) -> None:
        """Gives the file its name, unless a row could not be written."""
        with self._output_errors():
            try:
                with self._file:
                    self._file.write(self._footer)
                if self._fault is not None:
                    raise OSError(None, self._fault)
                self._partial.replace(self._path)
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
            raise OutputError(f"{self._path}: cannot be written ({error.strerror})") from None

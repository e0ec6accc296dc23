"""Writes rows to standard output as they come."""

from __future__ import annotations

import sys
from collections.abc import Callable

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.system.console import write_bytes


class StandardOutput(Output):
    """Writes each row to standard output at once.

    Args:
        encode: Encodes a row.
        header: The first bytes.

    Raises:
        OutputError: Standard output is closed or cannot be written.
    """

    def __init__(self, encode: Callable[[Row], bytes], header: bytes = b"") -> None:
        self._encode = encode
        self._write(header)

    def write(self, row: Row) -> None:
        """Writes the row of a picture.

        Raises:
            OutputError: Standard output cannot be written.
        """
        self._write(self._encode(row))

    def _write(self, data: bytes) -> None:
        if sys.stdout is None:
            raise OutputError("standard output is closed; open it, or write to a file")
        try:
            write_bytes(data, sys.stdout)
        except BrokenPipeError:
            self.has_reader = False
        except OSError as error:
            raise OutputError(
                f"standard output cannot be written ({error.strerror}); check where it leads to "
                "and the free space there"
            ) from None

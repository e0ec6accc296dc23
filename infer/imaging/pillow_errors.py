"""Converts exceptions of Pillow to `UnreadablePicture`, with a message for the user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.formats import Format

_BOMB = (
    "the picture has more pixels than the limit (--max-pixels, in Python max_pixels); save a"
    " smaller version"
)
_REASON_LENGTH = 100  # characters
_ADDRESS = re.compile(r"<[^<>]* object at 0x[0-9a-f]+>")


@contextmanager
def translate_pillow_errors(kind: Format, details: str = "") -> Iterator[None]:
    """Context manager that converts exceptions of Pillow to `UnreadablePicture`.

    Pillow raises exceptions of many types for corrupt files. `MemoryError` is not converted.

    Args:
        kind: Format for the message.
        details: Text in front of Pillow's message.

    Raises:
        UnreadablePicture: Pillow raised an exception. The message contains its text, or names
            `--max-pixels` for a `DecompressionBombError`.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if type(error).__name__ == "DecompressionBombError":
            raise UnreadablePicture(_BOMB) from None
        raise UnreadablePicture(format_undecodable(kind, details + format_reason(error))) from None


def format_undecodable(kind: Format, reason: str = "") -> str:
    """Returns the message for a file that Pillow cannot decode.

    Args:
        kind: Format of the file.
        reason: Details, in brackets in the message; none if empty.
    """
    why = f" ({reason})" if reason else ""
    return f"corrupt, truncated or unsupported {kind.name}{why}; copy it again or save it as PNG"


def format_reason(error: Any) -> str:
    """Returns the text of an exception or warning in one line of at most 100 characters.

    Memory addresses are replaced, so that the text is the same in each run.
    """
    return " ".join(_ADDRESS.sub("the file", str(error)).split())[:_REASON_LENGTH]

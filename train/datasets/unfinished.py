"""Names the picture in `Unfinished`, whose message does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image_gender_classifier.errors import Unfinished


@contextmanager
def name_unfinished(picture: Path | str) -> Iterator[None]:
    """Puts the path or name of a picture before the message of `Unfinished`.

    Raises:
        Unfinished: The block did.
    """
    try:
        yield
    except Unfinished as error:
        raise Unfinished(f"{picture}: {error}") from None

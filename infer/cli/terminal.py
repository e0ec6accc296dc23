"""Lines that the command prints on standard error."""

from __future__ import annotations

import sys

from image_gender_classifier.system.console import say

PROGRAM = "image-gender-classifier"


def tell(text: str) -> None:
    """Prints a message after the program's name."""
    say(f"{PROGRAM}: {text}", sys.stderr)


def tell_nothing(text: str) -> None:
    """Discards a message (`--quiet`)."""

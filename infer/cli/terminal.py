"""Prints the messages of the command to standard error."""

from __future__ import annotations

import sys

from image_gender_classifier.system.console import say

PROGRAM = "image-gender-classifier"


def tell(text: str) -> None:
    """Prints a message to standard error, prefixed with the program name."""
    say(f"{PROGRAM}: {text}", sys.stderr)


def tell_nothing(text: str) -> None:
    """Discards a message; replaces `tell` for `--quiet`."""

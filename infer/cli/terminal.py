"""Prints the messages of the command to standard error."""

from __future__ import annotations

import sys

from image_gender_classifier.outputs.escaping import escape_message
from image_gender_classifier.system.console import print_line

PROGRAM = "image-gender-classifier"


def print_message(text: str) -> None:
    """Prints a message to standard error, prefixed with the program name.

    Characters that break the line, control the terminal or reorder the text are percent-encoded.
    """
    print_line(f"{PROGRAM}: {escape_message(text)}", sys.stderr)


def discard_message(text: str) -> None:
    """Discards a message; replaces `print_message` for `--quiet`."""

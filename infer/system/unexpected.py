"""Describes an exception that ends a command although no code expects it."""

from __future__ import annotations

import os
import sys

from image_gender_classifier.errors import describe_bug


def report_unexpected(error: Exception, debug: bool) -> str:
    """Returns what happened in one line, with the remedy if there is one.

    Args:
        error: Any exception except those of this package.
        debug: Whether to print the traceback to standard error.
    """
    if debug and sys.stderr is not None:
        import traceback  # rarely needed

        traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return "out of memory; stop other programs"
    if isinstance(error, FileNotFoundError) and not _current_folder_exists():
        return "the current folder no longer exists; change to another folder"
    hint = "" if debug else "; --debug shows the traceback"
    return f"{describe_bug(error)}{hint}"


def _current_folder_exists() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() is the same
    except OSError:
        return False
    return True

"""Describes an exception that ends a command although no code expects it."""

from __future__ import annotations

import os
import sys
import traceback


def report_unexpected(error: Exception, debug: bool) -> str:
    """Returns what happened in one line, with the remedy if there is one.

    Args:
        error: Any exception except those of this package.
        debug: Whether to print the traceback to standard error.
    """
    if debug and sys.stderr is not None:
        traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return "out of memory; stop other programs"
    if isinstance(error, FileNotFoundError) and not _current_folder_exists():
        return "the current folder no longer exists; change to another folder"
    reason = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    hint = "" if debug else "; --debug shows the traceback"
    return f"internal error ({reason}){hint}"


def _current_folder_exists() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() is the same
    except OSError:
        return False
    return True

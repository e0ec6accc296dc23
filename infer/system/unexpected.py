"""Describes an exception that ends a command although no code expects it."""

from __future__ import annotations

import os


def describe_unexpected(error: Exception) -> str:
    """Returns what happened in one line, with the remedy if there is one.

    Args:
        error: Any exception except those of this package.
    """
    if isinstance(error, MemoryError):
        return "out of memory; stop other programs, or classify fewer pictures at a time"
    if isinstance(error, FileNotFoundError) and not _current_folder_exists():
        return "the current folder no longer exists; change to another folder"
    reason = " ".join(str(error).split())
    return f"internal error ({type(error).__name__}: {reason})"


def _current_folder_exists() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() is the same
    except OSError:
        return False
    return True

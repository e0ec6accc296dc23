"""Detects which file names the file systems of the output folders accept."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.outputs.atomic import create_partial, make_partial_path, remove_partial
from image_gender_classifier.outputs.naming import LINUX_RULES, NameRules

PATH_ERRORS = frozenset(
    {
        *(errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG, errno.ENOENT),  # rejected names
        *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.EBUSY),
        *(errno.EPERM, errno.EACCES),
    }
)
"""`errno` values that concern a single path: its name is rejected, taken or may not be written."""

_SHORTEST_LIMIT = 64  # bytes: enough for a hash and a suffix, if a file system reports less
_WINDOWS_PROBE = '<>:"|?*\\\x01'
_BYTE_PROBE = "\udcff"  # represents the byte 0xFF, which is not valid UTF-8


def detect_name_rules(folders: Iterable[Path]) -> NameRules:
    """Detects which names all output folders accept.

    Tests each folder by creating empty files and removing them. Where no file can be created, only
    the maximum length is detected.

    Args:
        folders: Existing output folders.

    Returns:
        The strictest rules of the folders.
    """
    found = [_detect_rules(folder) for folder in folders]
    return NameRules(
        longest=min((rules.longest for rules in found), default=LINUX_RULES.longest),
        folds=any(rules.folds for rules in found),
        windows=any(rules.windows for rules in found),
        utf8=any(rules.utf8 for rules in found),
    )


def _detect_rules(folder: Path) -> NameRules:
    """Detects which names one folder accepts; see `detect_name_rules`."""
    longest = LINUX_RULES.longest
    with suppress(OSError, ValueError):
        # FAT and exFAT limit names to 255 characters, and may report more bytes.
        reported = os.pathconf(folder, "PC_NAME_MAX")
        longest = max(min(longest, reported), _SHORTEST_LIMIT) if reported > 0 else longest
    try:
        folds = _is_same_file(folder, "k", "K")
    except OSError:  # no file can be created; the run reports it
        return NameRules(longest)
    with suppress(OSError, ValueError):  # neither name is accepted
        folds = folds or _is_same_file(folder, "\u00e9", "e\u0301")
    windows, utf8 = _rejects_name(folder, _WINDOWS_PROBE), _rejects_name(folder, _BYTE_PROBE)
    return NameRules(longest, folds, windows, utf8)


def _is_same_file(folder: Path, name: str, other: str) -> bool:
    """Returns whether two names refer to one file in a folder.

    Raises:
        OSError: `name` is rejected, or no file can be created.
        ValueError: The locale lacks a character of it.
    """
    partial = make_partial_path(folder)
    probe = _add_name(partial, name)
    try:
        os.close(create_partial(probe))
        return os.path.lexists(_add_name(partial, other))
    finally:
        remove_partial(probe)


def _rejects_name(folder: Path, name: str) -> bool:
    """Returns whether a folder rejects a name because of its characters."""
    probe = _add_name(make_partial_path(folder), name)
    try:
        os.close(create_partial(probe))
    except OSError as error:
        return error.errno in PATH_ERRORS
    except ValueError:  # the locale lacks a character
        return True
    finally:
        remove_partial(probe)
    return False


def _add_name(partial: Path, name: str) -> Path:
    """Returns the path of a test file: that of a partial file, with `name` in its file name."""
    return partial.with_name(f"{partial.stem}{name}{partial.suffix}")

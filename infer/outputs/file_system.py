"""Detects which file names the file system of an output folder accepts."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.outputs.atomic import create, discard, partial_path
from image_gender_classifier.outputs.naming import ORDINARY, NameRules

DISK_FAULTS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))
"""Errors of a disk that accepts no file, whatever its name."""

_SHORTEST_LIMIT = 64  # bytes: a hash and a suffix fit
_WINDOWS = '<>:"|?*\\\x01'
_STRAY = "\udcff"


def name_rules(folders: Iterable[Path]) -> NameRules:
    """Returns the rules for names that all output folders accept.

    Creates empty files in the folders and removes them.
    """
    found = [_detect_rules(folder) for folder in folders]
    return NameRules(
        longest=min((rules.longest for rules in found), default=ORDINARY.longest),
        folds=any(rules.folds for rules in found),
        windows=any(rules.windows for rules in found),
        utf8=any(rules.utf8 for rules in found),
    )


def _detect_rules(folder: Path) -> NameRules:
    longest = ORDINARY.longest
    with suppress(OSError, ValueError):
        # FAT and exFAT count characters: at most 255.
        reported = os.pathconf(folder, "PC_NAME_MAX")
        longest = max(min(longest, reported), _SHORTEST_LIMIT) if reported > 0 else longest
    try:
        os.close(create(_probe_path(folder, "k")))
        folds = os.path.lexists(_probe_path(folder, "K")) or _is_same_file(
            folder, "\u00e9", "e\u0301"
        )
        windows, utf8 = _refuses(folder, _WINDOWS), _refuses(folder, _STRAY)
    except OSError:  # it accepts no file at all, which the run will report
        return NameRules(longest)
    finally:
        discard(_probe_path(folder, "k"))
    return NameRules(longest, folds, windows, utf8)


def _is_same_file(folder: Path, name: str, other: str) -> bool:
    """Returns whether two names refer to the same file."""
    probe = _probe_path(folder, name)
    try:
        os.close(create(probe))
        return os.path.lexists(_probe_path(folder, other))
    except OSError:  # it accepts neither name
        return False
    finally:
        discard(probe)


def _refuses(folder: Path, name: str) -> bool:
    """Returns whether a folder refuses a name because of its characters."""
    probe = _probe_path(folder, name)
    try:
        os.close(create(probe))
    except OSError as error:
        return error.errno not in DISK_FAULTS
    finally:
        discard(probe)
    return False


def _probe_path(folder: Path, name: str) -> Path:
    partial = partial_path(folder / "names")
    return partial.with_name(f"{partial.stem}{name}{partial.suffix}")

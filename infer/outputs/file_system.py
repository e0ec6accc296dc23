"""Finds out which names the file system of an output folder can hold."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.outputs.atomic import create, discard, partial_path
from image_gender_classifier.outputs.naming import ORDINARY, NameRules

DISK_FAULTS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))
"""Errors of a disk that takes no file, whatever its name."""

_SHORTEST_LIMIT = 64  # bytes: room for a hash and an ending
_WINDOWS = '<>:"|?*\\\x01'
_STRAY = "\udcff"


def name_rules(folders: Iterable[Path]) -> NameRules:
    """Returns rules that suit all of some output folders.

    Creates empty files in them, and removes these.
    """
    found = [_rules_of(folder) for folder in folders]
    return NameRules(
        longest=min((rules.longest for rules in found), default=ORDINARY.longest),
        folds=any(rules.folds for rules in found),
        windows=any(rules.windows for rules in found),
        utf8=any(rules.utf8 for rules in found),
    )


def _rules_of(folder: Path) -> NameRules:
    longest = ORDINARY.longest
    with suppress(OSError, ValueError):
        # FAT and exFAT count characters, of which no name can have more than 255.
        reported = os.pathconf(folder, "PC_NAME_MAX")
        longest = max(min(longest, reported), _SHORTEST_LIMIT) if reported > 0 else longest
    try:
        os.close(create(_probe(folder, "k")))
        folds = os.path.lexists(_probe(folder, "K")) or _is_same(folder, "\u00e9", "e\u0301")
        windows, utf8 = _refuses(folder, _WINDOWS), _refuses(folder, _STRAY)
    except OSError:  # it takes no file at all, which the run will report
        return NameRules(longest)
    finally:
        discard(_probe(folder, "k"))
    return NameRules(longest, folds, windows, utf8)


def _is_same(folder: Path, name: str, other: str) -> bool:
    """Says whether two names are those of one file."""
    probe = _probe(folder, name)
    try:
        os.close(create(probe))
        return os.path.lexists(_probe(folder, other))
    except OSError:  # it cannot hold either
        return False
    finally:
        discard(probe)


def _refuses(folder: Path, name: str) -> bool:
    """Says whether a folder refuses a name for its characters."""
    probe = _probe(folder, name)
    try:
        os.close(create(probe))
    except OSError as error:
        return error.errno not in DISK_FAULTS
    finally:
        discard(probe)
    return False


def _probe(folder: Path, name: str) -> Path:
    partial = partial_path(folder / "names")
    return partial.with_name(f"{partial.stem}{name}{partial.suffix}")

"""Chooses names for output files that keep the extension of their picture, such as sidecars."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from image_gender_classifier.outputs.naming import (
    NameRules,
    count_bytes,
    escape_forbidden,
    resolve_levels,
)

_SUFFIX = 4  # bytes that an output may append
_LONGEST_EXTENSION = 16  # bytes; what follows the last dot of a longer one is no extension
_HASH_DIGITS = 16


def make_full_names(names: Sequence[str], rules: NameRules) -> list[str]:
    """Returns unique names that the output folders accept for the pictures of one folder.

    A picture keeps its name, unless that is rejected, collides or leaves no room for a suffix of
    four bytes. It is then escaped as `%XX`, or shortened with a hash before the extension.

    Args:
        names: File names of the pictures.
        rules: The rules of the output folders.
    """
    name_at = partial(_name_at_level, rules=rules)
    levels = resolve_levels(names, name_at, rules, ())
    return [name_at(name, levels.get(name, 0)) for name in names]


def _name_at_level(name: str, level: int, rules: NameRules) -> str:
    longest = rules.longest - _SUFFIX
    if level == 0 and count_bytes(escaped := escape_forbidden(name, rules)) <= longest:
        return escaped
    import hashlib  # rarely needed

    digest = hashlib.sha256(b"%d/%s" % (level, os.fsencode(name))).hexdigest()[:_HASH_DIGITS]
    stem, extension = os.path.splitext(name)
    if len(os.fsencode(extension)) > _LONGEST_EXTENSION:
        stem, extension = name, ""
    ending = f"~{digest}{extension}"
    while count_bytes(full := escape_forbidden(stem + ending, rules)) > longest and stem:
        stem = stem[:-1]
    return full

"""Chooses names for output files: unique, and accepted by the file system of the output."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

XML_SUFFIX = ".xml"
_HASH_DIGITS, _LONG_HASH_DIGITS, _SUBSTITUTE_DIGITS = 8, 24, 32
# Rejected in names by Windows, and so by exFAT, NTFS and most network shares.
_WINDOWS_FORBIDDEN = re.compile('[\x00-\x1f"*:<>?\\\\|]')
_WINDOWS_DEVICE = re.compile("(?i:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]) *(?:\\.|$)")
_WINDOWS_LAST = re.compile("[ .]$")
_STRAY = re.compile("[\udc80-\udcff]")
_SUBSTITUTE = re.compile("~[0-9a-f]{32}\\.[^.~]*$")
_UNSAFE = re.compile("[^0-9A-Za-z_-]")
_SUBSTITUTE_STEM = 24  # characters


class NameRules(NamedTuple):
    """The restrictions of a file system on names.

    Attributes:
        longest: Maximum length of a name in bytes.
        folds: Whether names that differ only in case or Unicode normalisation may be the same file.
        windows: Whether the characters and names that Windows forbids are rejected.
        utf8: Whether names that are not valid UTF-8 are rejected.
    """

    longest: int = 255
    folds: bool = False
    windows: bool = False
    utf8: bool = False


ORDINARY = NameRules()
"""The rules of common Linux file systems, such as ext4."""


class PictureFile(NamedTuple):
    """A picture in the input folder.

    Attributes:
        file: Path of the picture, relative to the input folder, with forward slashes.
        xml: Path of its XML file, relative to the output folder.
        renamed: Whether `xml` differs from the usual path, which the output folder rejects.
    """

    file: str
    xml: str
    renamed: bool = False

    def named(self, suffix: str) -> str:
        """Returns the path of an output file with `suffix` instead of `.xml`."""
        return self.xml.removesuffix(XML_SUFFIX) + suffix


def picture_id(file: str) -> str:
    """Returns the file name of a path without its last extension."""
    return os.path.splitext(PurePosixPath(file).name)[0]


def make_xml_names(
    names: Sequence[str], rules: NameRules = ORDINARY, taken: Collection[str] = ()
) -> list[str]:
    """Returns unique names for the XML files of the pictures of one folder.

    An XML file is named like its picture, without the extension. If names collide, these pictures
    keep their extensions, or get a hash if that does not help. A name that is too long is truncated
    and gets a hash. Characters that the output folder rejects are escaped as `%XX`.

    Args:
        names: File names of the pictures, in any order.
        rules: The rules of the output folder.
        taken: Reserved names, as `collision_key` returns them.

    Returns:
        The names of the XML files, in the order of `names`.
    """
    levels = find_name_levels(names, rules, taken)
    return [make_xml_name(name, levels.get(name, 0), rules) for name in names]


def find_name_levels(
    names: Iterable[str], rules: NameRules = ORDINARY, taken: Collection[str] = ()
) -> dict[str, int]:
    """Returns the collision level (see `make_xml_name`) of each name whose level is not 0.

    The arguments are those of `make_xml_names`.
    """
    return _resolve_levels(names, partial(make_xml_name, rules=rules), rules, taken)


def make_xml_name(name: str, level: int, rules: NameRules = ORDINARY) -> str:
    """Returns the name of a picture's XML file at a collision level.

    Args:
        name: File name of the picture.
        level: 0: without the picture's extension; 1: with it; 2 and more: with a hash, which is
            different at each level.
        rules: The rules of the output folder.
    """
    if level == 0:
        return _append_suffix(os.path.splitext(name)[0], XML_SUFFIX, rules)
    return (
        _append_suffix(name, XML_SUFFIX, rules) if level == 1 else _append_hash(name, level, rules)
    )


def make_folder_names(names: Sequence[str], rules: NameRules) -> dict[str, str]:
    """Returns unique names in the output folder for the subfolders of one folder.

    Args:
        names: Names of the subfolders.
        rules: The rules of the output folder.

    Returns:
        Maps each name to that of the output subfolder.
    """

    def name_at_level(name: str, level: int) -> str:
        return (
            _append_hash(name, level + 1, rules, "") if level else _append_suffix(name, "", rules)
        )

    levels = _resolve_levels(names, name_at_level, rules, ())
    return {name: name_at_level(name, levels.get(name, 0)) for name in names}


def collision_key(name: str, rules: NameRules) -> str:
    """Returns a key that is equal for all names that may refer to the same file.

    Args:
        name: A file name or path.
        rules: The rules of the file system.
    """
    if not rules.folds or (name.isascii() and name.islower()):
        return name
    from unicodedata import category, normalize  # rarely needed

    # Coarser than any file system, which is safe. Upper case first, as 'ı' and 'ſ' have no lower
    # case; no invisible characters, as ext4 and HFS+ ignore them.
    for _ in range(2):
        name = normalize("NFD", name).upper().casefold()
    visible = (char for char in name if category(char) != "Cf" and not "\ufe00" <= char <= "\ufe0f")
    return normalize("NFD", "".join(visible))


def make_substitute_name(path: str) -> str:
    """Returns a name for an output file whose path the file system rejects.

    Every file system accepts it, and no output file of another picture has it.
    """
    import hashlib  # rarely needed

    # Not splitext, for which "....xml" has no extension.
    stem, _, extension = path.rpartition("/")[2].rpartition(".")
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:_SUBSTITUTE_DIGITS]
    return f"{_UNSAFE.sub('_', stem)[:_SUBSTITUTE_STEM]}~{digest}.{extension}"


def _resolve_levels(
    names: Iterable[str],
    name_at_level: Callable[[str, int], str],
    rules: NameRules,
    taken: Collection[str],
) -> dict[str, int]:
    """Returns the lowest levels at which the keys of all names are unique and not in `taken`.

    Omits names whose level is 0.
    """
    levels: dict[str, int] = {}
    names = list(names)
    while True:
        keys = [name_at_level(name, levels.get(name, 0)) for name in names]
        if rules.folds:
            keys = [collision_key(key, rules) for key in keys]
        seen: set[str] = set(taken)
        shared: set[str] = set()
        for key in keys:
            (shared if key in seen or _is_reserved(key) else seen).add(key)
        if not shared:
            return levels
        sharing: dict[str, list[str]] = defaultdict(list)
        for name, key in zip(names, keys, strict=True):
            if key in shared:
                sharing[key].append(name)
        for group in sharing.values():
            lowest = min(levels.get(name, 0) for name in group)
            for name in group:
                if levels.get(name, 0) == lowest:
                    levels[name] = lowest + 1


def _is_reserved(key: str) -> bool:
    return "~" in key and _SUBSTITUTE.search(key) is not None


def _append_suffix(base: str, suffix: str, rules: NameRules) -> str:
    """Returns a name with the suffix; adds a hash if it is too long."""
    name = _escape_forbidden(base + suffix, rules)
    fits = _count_bytes(name) <= rules.longest
    return name if fits else _append_hash(base, 2, rules, suffix)


def _append_hash(base: str, level: int, rules: NameRules, suffix: str = XML_SUFFIX) -> str:
    """Returns a name with a hash and the suffix, truncated by whole characters if too long.

    The hash depends on the level, so crafted names cannot collide at every level.
    """
    import hashlib  # rarely needed

    data = os.fsencode(base)
    if level == 2:
        digest = hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]
    else:
        digest = hashlib.sha256(b"%d/%s" % (level, data)).hexdigest()[:_LONG_HASH_DIGITS]
    ending = f"~{digest}{suffix}"
    while _count_bytes(name := _escape_forbidden(base + ending, rules)) > rules.longest and base:
        base = base[:-1]
    return name


def _count_bytes(name: str) -> int:
    return len(name) if name.isascii() else len(os.fsencode(name))


def _escape_forbidden(name: str, rules: NameRules) -> str:
    """Returns a name with the characters that the rules forbid escaped as `%XX`."""
    if not (rules.utf8 or rules.windows):
        return name
    if rules.utf8 and not name.isascii():
        name = _STRAY.sub(_percent_encode, name)
    if not rules.windows:
        return name
    name = _WINDOWS_LAST.sub(_percent_encode, _WINDOWS_FORBIDDEN.sub(_percent_encode, name))
    return f"%{ord(name[0]):02X}{name[1:]}" if _WINDOWS_DEVICE.match(name) else name


def _percent_encode(match: re.Match[str]) -> str:
    data = match.group().encode("utf-8", "surrogateescape")
    return "".join(f"%{byte:02X}" for byte in data)

"""Names of the output files: unique for each picture, and possible where they are written."""

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
# What Windows, and so exFAT, NTFS and most network shares, refuse in a name.
_WINDOWS_FORBIDDEN = re.compile('[\x00-\x1f"*:<>?\\\\|]')
_WINDOWS_DEVICE = re.compile("(?i:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]) *(?:\\.|$)")
_WINDOWS_LAST = re.compile("[ .]$")
_STRAY = re.compile("[\udc80-\udcff]")
_SUBSTITUTE = re.compile("~[0-9a-f]{32}\\.[^.~]*$")
_UNSAFE = re.compile("[^0-9A-Za-z_-]")
_SUBSTITUTE_STEM = 24  # characters


class NameRules(NamedTuple):
    """What the file system of an output folder makes of names.

    Attributes:
        longest: Most bytes of a name.
        folds: Whether names that differ in case or in Unicode form only may be the same file.
        windows: Whether it refuses the characters and names that Windows refuses.
        utf8: Whether it refuses bytes that are not UTF-8.
    """

    longest: int = 255
    folds: bool = False
    windows: bool = False
    utf8: bool = False


ORDINARY = NameRules()
"""The rules of the common file systems of Linux."""


class PictureFile(NamedTuple):
    """A picture in the input folder.

    Attributes:
        file: Its path below the input folder, with forward slashes.
        xml: The path of its XML file below the output folder.
        rewritten: Whether the output folder cannot hold the usual path.
    """

    file: str
    xml: str
    rewritten: bool = False

    def named(self, suffix: str) -> str:
        """Returns the path of its output file with another ending than `.xml`."""
        return self.xml.removesuffix(XML_SUFFIX) + suffix


def picture_id(file: str) -> str:
    """Returns a file name without its last extension."""
    return os.path.splitext(PurePosixPath(file).name)[0]


def xml_names(
    names: Sequence[str], rules: NameRules = ORDINARY, taken: Collection[str] = ()
) -> list[str]:
    """Returns unique names for the XML files of the pictures of one folder.

    The name is that of the picture without its extension. Pictures that would share a name keep
    their extensions, or get a hash if that is not enough. A name that is too long is cut and gets
    a hash. Characters that the output folder refuses are written as `%XX`.

    Args:
        names: The names of the pictures; their order does not matter.
        rules: The rules of the output folder.
        taken: Keys (see `name_key`) of names that no XML file may get.
    """
    levels = name_levels(names, rules, taken)
    return [xml_name(name, levels.get(name, 0), rules) for name in names]


def name_levels(
    names: Iterable[str], rules: NameRules = ORDINARY, taken: Collection[str] = ()
) -> dict[str, int]:
    """Returns the level (see `xml_name`) of each name that cannot have level 0."""
    return _levels(names, partial(xml_name, rules=rules), rules, taken)


def xml_name(name: str, level: int, rules: NameRules = ORDINARY) -> str:
    """Returns an XML file name: without extension (0), with extension (1) or with a hash (2…)."""
    if level == 0:
        return _fitting(os.path.splitext(name)[0], XML_SUFFIX, rules)
    return _fitting(name, XML_SUFFIX, rules) if level == 1 else _hashed(name, level, rules)


def folder_names(names: Sequence[str], rules: NameRules) -> dict[str, str]:
    """Returns the names in the output folder of the subfolders of one folder."""

    def name_at(name: str, level: int) -> str:
        return _hashed(name, level + 1, rules, "") if level else _fitting(name, "", rules)

    levels = _levels(names, name_at, rules, ())
    return {name: name_at(name, levels.get(name, 0)) for name in names}


def name_key(name: str, rules: NameRules) -> str:
    """Returns a text that is equal for all names that may be the same file."""
    if not rules.folds or (name.isascii() and name.islower()):
        return name
    from unicodedata import category, normalize  # rarely needed

    # Coarser than any one file system, which does no harm: upper case too, as 'ı' and 'ſ' have no
    # lower one; without invisible characters, which ext4 and HFS+ ignore.
    for _ in range(2):
        name = normalize("NFD", name).upper().casefold()
    visible = (one for one in name if category(one) != "Cf" and not "\ufe00" <= one <= "\ufe0f")
    return normalize("NFD", "".join(visible))


def substitute(path: str) -> str:
    """Returns a name for an output file whose own path is refused.

    Every file system takes it, and no picture's output is named like it.
    """
    import hashlib  # rarely needed

    stem, suffix = os.path.splitext(path.rpartition("/")[2])
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:_SUBSTITUTE_DIGITS]
    return f"{_UNSAFE.sub('_', stem)[:_SUBSTITUTE_STEM]}~{digest}{suffix}"


def _levels(
    names: Iterable[str],
    name_at: Callable[[str, int], str],
    rules: NameRules,
    taken: Collection[str],
) -> dict[str, int]:
    """Raises the levels of names until no two of them share a key and none has one of `taken`."""
    levels: dict[str, int] = {}
    names = list(names)
    while True:
        keys = [name_at(name, levels.get(name, 0)) for name in names]
        if rules.folds:
            keys = [name_key(key, rules) for key in keys]
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


def _fitting(base: str, suffix: str, rules: NameRules) -> str:
    """Appends the suffix, or hashes a name that is too long."""
    name = _possible(base + suffix, rules)
    fits = _length(name) <= rules.longest
    return name if fits else _hashed(base, 2, rules, suffix)


def _hashed(base: str, level: int, rules: NameRules, suffix: str = XML_SUFFIX) -> str:
    """Appends a hash and the suffix; cuts whole characters from a name that is too long.

    Each level gives another hash, so that no choice of names can exhaust them.
    """
    import hashlib  # rarely needed

    data = os.fsencode(base)
    if level == 2:
        digest = hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]
    else:
        digest = hashlib.sha256(b"%d/%s" % (level, data)).hexdigest()[:_LONG_HASH_DIGITS]
    ending = f"~{digest}{suffix}"
    while _length(name := _possible(base + ending, rules)) > rules.longest and base:
        base = base[:-1]
    return name


def _length(name: str) -> int:
    return len(name) if name.isascii() else len(os.fsencode(name))


def _possible(name: str, rules: NameRules) -> str:
    """Writes the characters of a name that the rules forbid as `%XX`."""
    if not (rules.utf8 or rules.windows):
        return name
    if rules.utf8 and not name.isascii():
        name = _STRAY.sub(_percent, name)
    if not rules.windows:
        return name
    name = _WINDOWS_LAST.sub(_percent, _WINDOWS_FORBIDDEN.sub(_percent, name))
    return f"%{ord(name[0]):02X}{name[1:]}" if _WINDOWS_DEVICE.match(name) else name


def _percent(match: re.Match[str]) -> str:
    data = match.group().encode("utf-8", "surrogateescape")
    return "".join(f"%{byte:02X}" for byte in data)

"""Chooses names for output files: unique, and accepted by the file system of the output folder."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from image_gender_classifier.outputs.settings import XML_SUFFIX

_HASH_DIGITS, _LONG_HASH_DIGITS, _SUBSTITUTE_DIGITS = 8, 24, 32
# Rejected in names by Windows, and so by exFAT, NTFS and most network shares.
_WINDOWS_FORBIDDEN = re.compile('[\x00-\x1f"*:<>?\\\\|]')
_WINDOWS_DEVICE = re.compile("(?i:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]) *(?:\\.|$)")
_WINDOWS_LAST = re.compile("[ .]$")
_STRAY = re.compile("[\udc80-\udcff]")  # surrogates for bytes that are not valid UTF-8
_SUBSTITUTE = re.compile("~[0-9a-f]{32}\\.[^.~]*$")
_SUBSTITUTE_HASH = re.compile("~[0-9a-f]{32}")
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


LINUX_RULES = NameRules()
"""The rules of common Linux file systems, such as ext4: any name of up to 255 bytes."""


class PictureFile(NamedTuple):
    """A picture in the input folder.

    Attributes:
        file: Path of the picture, relative to the input folder, with forward slashes.
        xml: Path of its XML file, relative to the output folder.
        renamed: Whether the output folder rejects the usual path, so that `xml` is another one.
        full: Path of an output file that keeps the extension of the picture, before its suffix;
            empty if no output needs it.
        source: Path of the file if it is not `file` in the input folder; otherwise empty.
    """

    file: str
    xml: str
    renamed: bool = False
    full: str = ""
    source: str = ""

    def output_path(self, suffix: str) -> str:
        """Returns the path of an output file in its output folder: `xml` with another suffix."""
        return self.xml.removesuffix(XML_SUFFIX) + suffix


def find_name_levels(
    names: Iterable[str], rules: NameRules = LINUX_RULES, taken: Collection[str] = ()
) -> dict[str, int]:
    """Returns the collision levels at which the XML files of one folder have unique names.

    Args:
        names: File names of the pictures, in any order.
        rules: The rules of the output folder.
        taken: Names that no XML file may get, as `collision_key` returns them.

    Returns:
        A dict from file names of pictures to levels (see `make_xml_name`), without level 0.
    """
    return resolve_levels(names, partial(make_xml_name, rules=rules), rules, taken)


def make_xml_name(name: str, level: int, rules: NameRules = LINUX_RULES) -> str:
    """Returns the name of a picture's XML file at a collision level.

    A name that is too long is truncated, and a hash is appended. Characters that the output folder
    rejects are percent-encoded.

    Args:
        name: File name of the picture.
        level: 0: without the picture's extension; 1: with it; from 2: with it and a hash.
        rules: The rules of the output folder.
    """
    if level == 0:
        return _append_suffix(os.path.splitext(name)[0], XML_SUFFIX, rules)
    if level == 1:
        return _append_suffix(name, XML_SUFFIX, rules)
    return _append_hash(name, level, rules)


def make_folder_names(names: Sequence[str], rules: NameRules) -> dict[str, str]:
    """Returns unique names for the output subfolders of one folder.

    Args:
        names: Names of the input subfolders.
        rules: The rules of the output folder.

    Returns:
        A dict from the name of each input subfolder to that of its output subfolder.
    """

    def name_at_level(name: str, level: int) -> str:
        if level == 0:
            return _append_suffix(name, "", rules)
        return _append_hash(name, level + 1, rules, "")

    levels = resolve_levels(names, name_at_level, rules, ())
    return {name: name_at_level(name, levels.get(name, 0)) for name in names}


def collision_key(name: str, rules: NameRules) -> str:
    """Returns a key that is equal for all names that may refer to the same file.

    Ignores case, Unicode normalisation and invisible characters if the file system may ignore them.

    Args:
        name: A file name or path.
        rules: The rules of the file system.
    """
    if not rules.folds or (name.isascii() and name.islower()):
        return name
    from unicodedata import category, normalize  # rarely needed

    # Coarser than any file system, which is safe. Upper case first, as casefold keeps 'ı'; without
    # invisible characters, as ext4 and HFS+ ignore them.
    for _ in range(2):
        name = normalize("NFD", name).upper().casefold()
    visible = (char for char in name if category(char) != "Cf" and not "\ufe00" <= char <= "\ufe0f")
    return normalize("NFD", "".join(visible))


def make_substitute_name(path: str) -> str:
    """Returns the substitute name for an output file whose path the file system rejects.

    Every file system accepts it: safe characters of the rejected name, `~`, a hash of the path and
    the extension. No output file of another picture has it; see `_is_reserved`.

    Args:
        path: Path relative to the output folder, with an extension.
    """
    import hashlib  # rarely needed

    # Not splitext, for which "....xml" has no extension.
    stem, _, extension = path.rpartition("/")[2].rpartition(".")
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:_SUBSTITUTE_DIGITS]
    return f"{_UNSAFE.sub('_', stem)[:_SUBSTITUTE_STEM]}~{digest}.{extension}"


def resolve_levels(
    names: Iterable[str],
    name_at_level: Callable[[str, int], str],
    rules: NameRules,
    taken: Collection[str],
) -> dict[str, int]:
    """Raises the collision levels of colliding names, from 0, until all output names are unique.

    Args:
        names: Names of pictures or folders.
        name_at_level: Returns the output name at a level.
        rules: The rules of the output folder.
        taken: Keys of unavailable output names; see `collision_key`.

    Returns:
        A dict from names to levels, without the names at level 0.
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


def may_be_substitute(name: str) -> bool:
    """Returns whether a name has the hash of a substitute name; other files can have one, too."""
    return "~" in name and _SUBSTITUTE_HASH.search(name) is not None


def _is_reserved(key: str) -> bool:
    """Returns whether a name has the form of a substitute name, which no other file may have."""
    return "~" in key and _SUBSTITUTE.search(key) is not None


def _append_suffix(base: str, suffix: str, rules: NameRules) -> str:
    """Returns the base and the suffix; if too long, truncates the base and appends a hash to it."""
    name = escape_forbidden(base + suffix, rules)
    fits = count_bytes(name) <= rules.longest
    return name if fits else _append_hash(base, 2, rules, suffix)


def _append_hash(base: str, level: int, rules: NameRules, suffix: str = XML_SUFFIX) -> str:
    """Returns the base, `~`, a hash and the suffix; truncates the base if the name is too long.

    The hash depends on the collision level, so crafted names cannot collide at every level.
    """
    import hashlib  # rarely needed

    data = os.fsencode(base)
    if level == 2:
        digest = hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]
    else:
        digest = hashlib.sha256(b"%d/%s" % (level, data)).hexdigest()[:_LONG_HASH_DIGITS]
    ending = f"~{digest}{suffix}"
    while count_bytes(name := escape_forbidden(base + ending, rules)) > rules.longest and base:
        base = base[:-1]
    return name


def count_bytes(name: str) -> int:
    """Returns the length of a name in bytes, in the encoding of the file system."""
    return len(name) if name.isascii() else len(os.fsencode(name))


def escape_forbidden(name: str, rules: NameRules) -> str:
    """Percent-encodes the characters that `rules` forbid, and the first of a device name."""
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

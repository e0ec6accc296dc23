"""Looks up many paths below a folder by listing each subfolder once, which is faster."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from unicodedata import normalize


class ListedNames:
    """The names of the files below a folder, as they are when each subfolder is first asked for.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, dict[str, list[str]]] = {}  # by subfolder and normal form

    def has(self, file: str) -> bool:
        """Returns whether there is a file at a path relative to the folder."""
        parent, _, name = file.rpartition("/")
        # Some file systems find a file by another name too, such as one in capitals.
        return name in self._equivalent(parent, name) or os.path.lexists(self._folder / file)

    def find_spelling(self, file: str) -> str | None:
        """Returns a path as the file system spells it.

        Other programs and systems, such as macOS, may write a name in another Unicode
        normalisation.

        Args:
            file: A path relative to the folder.

        Returns:
            The path itself if it is listed, else the only one that differs by its normalisation;
            None if there is none or more than one.
        """
        path = ""
        for part in file.split("/"):
            matches = self._equivalent(path, part)
            if part in matches:
                matches = [part]
            if len(matches) != 1:
                return None
            path = f"{path}/{matches[0]}" if path else matches[0]
        return path

    def _equivalent(self, parent: str, name: str) -> list[str]:
        """Returns the names in a subfolder with the same normal form as a name."""
        if parent not in self._names:
            names: dict[str, list[str]] = {}
            with suppress(OSError), os.scandir(self._folder / parent) as entries:
                for entry in entries:
                    names.setdefault(normalize("NFC", entry.name), []).append(entry.name)
            self._names[parent] = names
        return self._names[parent].get(normalize("NFC", name), [])

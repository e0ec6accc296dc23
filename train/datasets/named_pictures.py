"""The pictures of a folder, found by user ID or by path."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

from image_gender_classifier.outputs.csv import unescape_formula
from image_gender_classifier.outputs.escaping import unescape_name
from image_gender_classifier.train.datasets.listing import list_pictures


class NamedPictures:
    """The pictures of a folder, which rows name by user ID or by path.

    Args:
        root: The folder.

    Attributes:
        root: The folder.
        paths: Paths relative to `root`, sorted.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = list_pictures(root)
        self._known = frozenset(self.paths)
        self._by_id: dict[str, str] = {}
        for path in self.paths:
            self._by_id.setdefault(_user_id(path), path)

    def find(self, key: str) -> str | None:
        """Returns the path of the picture that a row names; None if there is none.

        Args:
            key: A user ID, or a path relative to the folder, also as `image-gender-review` writes
                it.
        """
        user = unicodedata.normalize("NFC", key)
        if user in self._by_id:
            return self._by_id[user]
        paths = (key, key.replace("\\", "/"), unescape_name(unescape_formula(key)))
        return next((path for path in paths if path in self._known), None)

    def is_second(self, path: str) -> bool:
        """Returns whether another picture stands for the user ID of a picture."""
        return self._by_id[_user_id(path)] != path

    def name(self, path: str) -> str:
        """Returns the name of the sample: the user ID, or the path of a second picture."""
        return path if self.is_second(path) else _user_id(path)


def _user_id(path: str) -> str:
    """Returns the name of a picture without folder and extension, in Unicode normal form C (NFC).

    File names on macOS can be in NFD.
    """
    return unicodedata.normalize("NFC", PurePosixPath(path).stem)

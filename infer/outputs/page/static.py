"""Writes the page as files that need no server: an HTML file and a folder next to it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.atomic import (
    make_write_error,
    remove_leftovers,
    replace_atomic,
)
from image_gender_classifier.outputs.corrections import Correction
from image_gender_classifier.outputs.page import assets
from image_gender_classifier.outputs.page.data import (
    CHUNK,
    PageItem,
    PageSettings,
    encode_data,
    encode_xml_chunk,
)

_THUMBNAIL = re.compile("[0-9a-f]{16,22}\\.jpg")
_CHUNK = re.compile("[0-9]+\\.js")


class StaticPage:
    """Writes a page: the thumbnails picture by picture, everything else at the end.

    Until then, the page of an earlier run stays as it is.

    Args:
        path: The HTML file. The other files go to the folder `NAME_files` next to it.

    Raises:
        OutputError: The folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = make_files_path(path)
        self._items: list[tuple[PageItem, str]] = []
        self._made: set[Path] = set()
        self._written: set[Path] = set()
        for folder in (self._folder, self._folder / "xml", self._folder / "thumbnails"):
            self._make_folder(folder)

    def add(self, item: PageItem, text: str, thumbnail: bytes | None = None) -> None:
        """Adds a picture.

        Args:
            item: The picture.
            text: Its XML file.
            thumbnail: A small JPEG copy of it, written to `thumbnail_path(item.picture)`; None if
                that file exists, or there is no copy.

        Raises:
            OutputError: A file cannot be written.
        """
        self._items.append((item, text))
        if thumbnail is not None:
            path = self.thumbnail_path(item.picture)
            if path not in self._written:
                self._make_folder(path.parent)
                self._write(path, thumbnail)
                self._written.add(path)

    def thumbnail_path(self, picture: str) -> Path:
        """Returns the path of a thumbnail.

        It is named by content, so that the page of an earlier run never shows another picture.

        Args:
            picture: See `PageItem`.
        """
        digest = picture.rpartition(":")[2]
        return self._folder / "thumbnails" / digest[-2:] / f"{digest}.jpg"

    def close(self, settings: PageSettings, corrections: Mapping[str, Correction]) -> None:
        """Writes the page, then removes the files that only an earlier one needed.

        Args:
            settings: Settings of the page.
            corrections: See `encode_data`.

        Raises:
            OutputError: A file cannot be written.
        """
        self._items.sort(key=lambda pair: os.fsencode(pair[0].prediction.file))
        self._write_texts()
        for name in (assets.STYLE, *assets.SCRIPTS):
            self._write(self._folder / name, assets.read_asset(name))
        data = encode_data([item for item, _ in self._items], settings, corrections)
        self._write(self._folder / "data.js", data)
        html = assets.make_html(quote(os.fsencode(self._folder.name)), assets.FILE_POLICY)
        self._write(self._path, html)
        self._remove_outdated()

    def _write_texts(self) -> None:
        for number, start in enumerate(range(0, len(self._items), CHUNK)):
            texts = [text for _, text in self._items[start : start + CHUNK]]
            self._write(self._folder / "xml" / f"{number}.js", encode_xml_chunk(number, texts))

    def _write(self, path: Path, data: bytes) -> None:
        try:
            replace_atomic(path, data)
        except OSError as error:
            raise make_write_error(path, error) from None

    def _make_folder(self, folder: Path) -> None:
        if folder in self._made:
            return
        try:
            if folder.is_symlink():
                raise OSError(errno.ELOOP, "a symbolic link")
            folder.mkdir(exist_ok=True)
            remove_leftovers(folder)
            self._made.add(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be created ({error.strerror})") from None

    def _remove_outdated(self) -> None:
        """Removes thumbnails and XML chunks that this page does not use; nothing else."""
        thumbnails = self._folder / "thumbnails"
        used = {self.thumbnail_path(item.picture) for item, _ in self._items if item.width}
        chunks = -(-len(self._items) // CHUNK)
        outdated = [
            path
            for path in thumbnails.glob("??/*.jpg")
            if path not in used and _THUMBNAIL.fullmatch(path.name)
        ]
        outdated += [
            path
            for path in (self._folder / "xml").glob("*.js")
            if _CHUNK.fullmatch(path.name) and int(path.stem) >= chunks
        ]
        for path in outdated:
            with suppress(OSError):
                path.unlink()


def make_files_path(path: Path) -> Path:
    """Returns the folder of the other files of a page, by the path of its HTML file."""
    return path.with_name(f"{path.stem}_files")


def make_folder_url(pictures: Path, html: Path) -> str:
    """Returns the URL of the folder of pictures, relative to the page."""
    relative = os.path.relpath(os.path.realpath(pictures), os.path.realpath(html.parent))
    return f"{quote(os.fsencode(relative))}/"

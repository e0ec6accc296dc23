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

_THUMBNAIL = re.compile("[0-9a-f]{16}\\.jpg")
_CHUNK = re.compile("[0-9]+\\.js")


class StaticPage:
    """Writes a page picture by picture; the HTML file comes last.

    Args:
        path: The HTML file. The other files go to the folder `NAME_files` next to it.

    Raises:
        OutputError: The folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.with_name(f"{path.stem}_files")
        self._items: list[PageItem] = []
        self._texts: list[str] = []
        self._thumbnails: set[str] = set()
        for folder in (self._folder, self._folder / "xml", self._folder / "thumbnails"):
            self._make_folder(folder)

    def add(self, item: PageItem, text: str, thumbnail: bytes | None = None) -> None:
        """Adds a picture.

        Args:
            item: The picture. Pictures are added in the order of their file names.
            text: Its XML file.
            thumbnail: A small JPEG copy of it; needs `item.picture`.

        Raises:
            OutputError: A file cannot be written.
        """
        self._items.append(item)
        self._texts.append(text)
        if len(self._texts) == CHUNK:
            self._write_texts()
        if thumbnail is not None:
            # Named by content, so that the page of an earlier run never shows another picture.
            digest = item.picture.rpartition(":")[2]
            name = f"{digest[-2:]}/{digest}.jpg"
            if name not in self._thumbnails:
                self._thumbnails.add(name)
                self._make_folder(self._folder / "thumbnails" / digest[-2:])
                self._write(self._folder / "thumbnails" / name, thumbnail)

    def close(self, settings: PageSettings, corrections: Mapping[str, Correction]) -> None:
        """Completes the page, then removes the files that only an earlier one needed.

        Args:
            settings: Settings of the page.
            corrections: See `encode_data`.

        Raises:
            OutputError: A file cannot be written.
        """
        if self._texts:
            self._write_texts()
        for name in (assets.STYLE, *assets.SCRIPTS):
            self._write(self._folder / name, assets.read_asset(name))
        data = encode_data(self._items, settings, corrections)
        self._write(self._folder / "data.js", data)
        html = assets.make_html(quote(os.fsencode(self._folder.name)), assets.FILE_POLICY)
        self._write(self._path, html)
        self._remove_outdated()

    def _write_texts(self) -> None:
        number = (len(self._items) - 1) // CHUNK
        self._write(self._folder / "xml" / f"{number}.js", encode_xml_chunk(number, self._texts))
        self._texts.clear()

    def _write(self, path: Path, data: bytes) -> None:
        try:
            replace_atomic(path, data)
        except OSError as error:
            raise make_write_error(path, error) from None

    def _make_folder(self, folder: Path) -> None:
        try:
            if folder.is_symlink():
                raise OSError(errno.ELOOP, "a symbolic link")
            folder.mkdir(exist_ok=True)
            remove_leftovers(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be created ({error.strerror})") from None

    def _remove_outdated(self) -> None:
        """Removes thumbnails and XML chunks that this page does not use; nothing else."""
        thumbnails = self._folder / "thumbnails"
        used = {thumbnails / name for name in self._thumbnails}
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

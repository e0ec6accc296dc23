"""Writes the report (`--report`): the page of the review without editing."""

from __future__ import annotations

import re
from pathlib import Path

from image_gender_classifier.manifest.cache_key import cache_key
from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.jpeg_comment import add_comment, read_comment
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.page.data import PageItem, PageSettings
from image_gender_classifier.outputs.page.static import StaticPage, make_folder_url
from image_gender_classifier.outputs.settings import DEFAULTS, OutputSettings
from image_gender_classifier.results import Prediction

_KEY_DIGITS = 16
_SIZE = re.compile("([0-9]+) x ([0-9]+)")


class Report(Output):
    """A page with all pictures of a run.

    Each thumbnail has the size of the picture in a comment, so that a later run can use it.

    Args:
        path: The HTML file.
        settings: The options of the run.

    Raises:
        OutputError: The folder next to the file cannot be written.
    """

    def __init__(self, path: Path, settings: OutputSettings) -> None:
        self._path = path
        self._settings = settings
        self._page = StaticPage(path)

    def write(self, row: Row) -> None:
        """Adds a picture; writes its thumbnail, unless that of an earlier run is still right.

        Raises:
            OutputError: The thumbnail cannot be written.
        """
        prediction, thumbnail = row.prediction, row.drawings.thumbnail
        key = _make_key(prediction)
        item, jpeg = PageItem(prediction), None
        if thumbnail is not None:
            size = thumbnail.width, thumbnail.height
            item = PageItem(prediction, *size, key)
            jpeg = add_comment(thumbnail.jpeg, f"{size[0]} x {size[1]}")
        elif (known := self._read_size(key)) is not None:
            item = PageItem(prediction, *known, key)
        self._page.add(item, xml.encode_prediction(prediction).decode("utf-8"), jpeg)

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:  # noqa: ARG002
        """Returns whether the thumbnail of a prediction exists; see `Output.can_reuse`.

        True for an unreadable picture, which has none.
        """
        unreadable = prediction.status == "unreadable"
        return unreadable or self._read_size(_make_key(prediction)) is not None

    def close(self) -> None:
        """Writes the page.

        Raises:
            OutputError: A file cannot be written.
        """
        pictures = self._settings.pictures
        settings = PageSettings(
            f"Report on {pictures.resolve().name or pictures}",
            editing=False,
            pictures=make_folder_url(pictures, self._path),
            run=self._settings.describe_run(),
        )
        self._page.close(settings, {})

    def _read_size(self, key: str) -> tuple[int, int] | None:
        """Returns width and height of a picture from its thumbnail; None if there is none."""
        match = _SIZE.fullmatch(read_comment(self._page.thumbnail_path(key)) or "")
        return None if match is None else (int(match[1]), int(match[2]))


def _make_key(prediction: Prediction) -> str:
    """Returns the name of a thumbnail, which belongs to a file and its content."""
    return cache_key(prediction.file, prediction.run)[:_KEY_DIGITS]


def open_output(path: Path, settings: OutputSettings = DEFAULTS) -> Report:
    """Opens the output; exceptions as for `Report`."""
    return Report(path, settings)

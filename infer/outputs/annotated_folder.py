"""Writes annotated copies to a folder (`--annotate`)."""

from __future__ import annotations

import os
from pathlib import Path

from image_gender_classifier.outputs.atomic import open_regular_file
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.settings import COPY_SIDE, DEFAULTS, OutputSettings
from image_gender_classifier.results import Prediction

_SUFFIX = ".jpg"
_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"  # first and last bytes of a JPEG file


class AnnotatedFolder(OutputFolder):
    """The folder of annotated copies.

    Each copy is a JPEG file with the prediction's `run` and the size in a comment, by which
    `can_reuse` recognises the copy of an earlier run.

    Args:
        folder: The folder.
        size: Longest side of the copies in pixels.

    Raises:
        OutputError: The folder cannot be used.
    """

    def __init__(self, folder: Path, size: int = COPY_SIDE) -> None:
        super().__init__(folder)
        self._size = size

    def write(self, row: Row) -> None:
        """Writes the annotated copy of a picture, if `row.drawings` contains one."""
        copy = row.drawings.copy
        if copy is not None:
            data = self._jpeg_start(row.prediction) + copy.removeprefix(_SOI)
            self.write_file(row.picture.output_path(_SUFFIX), data)

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:
        """Returns whether a complete annotated copy with the `run` of a prediction exists.

        True for an unreadable picture, which has no copy. See `Output.can_reuse`.
        """
        if prediction.status == "unreadable":
            return True
        start = self._jpeg_start(prediction)
        return any(
            _is_complete_jpeg(path, start)
            for path in self.possible_paths(picture.output_path(_SUFFIX))
        )

    def _jpeg_start(self, prediction: Prediction) -> bytes:
        """Returns the first bytes of a copy: a start-of-image marker, then the comment."""
        text = f"run {prediction.run}, size {self._size}".encode("ascii")
        return _SOI + b"\xff\xfe" + (2 + len(text)).to_bytes(2, "big") + text


def _is_complete_jpeg(path: Path, start: bytes) -> bool:
    """Returns whether a file starts with `start` and ends with an end-of-image (EOI) marker.

    False if the file cannot be read.
    """
    try:
        with open_regular_file(path) as file:
            starts = file.read(len(start)) == start
            file.seek(-len(_EOI), os.SEEK_END)  # a power cut may have truncated the file
            return starts and file.read() == _EOI
    except OSError:
        return False


def open_output(path: Path, settings: OutputSettings = DEFAULTS) -> AnnotatedFolder:
    """Opens the output; exceptions as for `AnnotatedFolder`."""
    return AnnotatedFolder(path, settings.annotate_size)

"""Writes annotated copies to a folder (`--annotate`)."""

from __future__ import annotations

import os
from pathlib import Path

from image_gender_classifier.outputs.atomic import open_regular_file
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.results import Prediction

_SUFFIX = ".jpg"
_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"  # first and last bytes of a JPEG file


class AnnotatedFolder(OutputFolder):
    """The folder of the annotated copies. Each has its `run` in a JPEG comment."""

    def write(self, row: Row) -> None:
        """Writes the annotated copy of a picture, if it was drawn."""
        copy = row.drawings.copy
        if copy is not None:
            data = _jpeg_start(row.prediction.run) + copy.removeprefix(_SOI)
            self.write_file(row.picture.named(_SUFFIX), data)

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:
        """Returns whether the annotated copy exists and is complete; see `Output.can_reuse`."""
        if prediction.status == "unreadable":
            return True
        start = _jpeg_start(prediction.run)
        return any(
            _is_complete_jpeg(path, start) for path in self.possible_paths(picture.named(_SUFFIX))
        )


def _is_complete_jpeg(path: Path, start: bytes) -> bool:
    """Returns whether a file starts with `start` and ends with an end-of-image marker."""
    try:
        with open_regular_file(path) as file:
            starts = file.read(len(start)) == start
            file.seek(-len(_EOI), os.SEEK_END)  # a power cut may have truncated the file
            return starts and file.read() == _EOI
    except OSError:
        return False


def _jpeg_start(run: str) -> bytes:
    """Returns the first bytes of a copy: a start-of-image marker, then a comment with `run`."""
    text = f"run {run}".encode("ascii")
    return _SOI + b"\xff\xfe" + (2 + len(text)).to_bytes(2, "big") + text


open_output = AnnotatedFolder

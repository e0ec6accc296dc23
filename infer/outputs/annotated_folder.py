"""Writes annotated copies to a folder (`--annotate`)."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.jpeg_comment import add_comment, read_comment
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.settings import (
    COPY_SIDE,
    COPY_SUFFIX,
    DEFAULTS,
    OutputSettings,
)
from image_gender_classifier.results import Prediction


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
            data = add_comment(copy, self._make_comment(row.prediction))
            self.write_file(row.picture.output_path(COPY_SUFFIX), data)

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:
        """Returns whether a complete annotated copy with the `run` of a prediction exists.

        True for an unreadable picture, which has no copy. See `Output.can_reuse`.
        """
        if prediction.status == "unreadable":
            return True
        comment = self._make_comment(prediction)
        paths = self.possible_paths(picture.output_path(COPY_SUFFIX))
        return any(read_comment(path) == comment for path in paths)

    def _make_comment(self, prediction: Prediction) -> str:
        return f"run {prediction.run}, size {self._size}"


def open_output(path: Path, settings: OutputSettings = DEFAULTS) -> AnnotatedFolder:
    """Opens the output; exceptions as for `AnnotatedFolder`."""
    return AnnotatedFolder(path, settings.annotate_size)

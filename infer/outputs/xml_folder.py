"""Writes XML files to the output folder (`--output`) and reads those of earlier runs."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from image_gender_classifier.imaging.formats import SNIFFED_BYTES, sniff
from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.atomic import read_regular_file
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.settings import DEFAULTS, OutputSettings
from image_gender_classifier.results import Face, Prediction

MAX_BYTES = 2**22  # of an XML file: enough for 30,000 faces
_START = 2**14  # bytes: enough for the attributes of a picture
_REVIEWED = b' status="reviewed"'  # a quotation mark in a name or message is escaped


class XmlFolder(OutputFolder):
    """The folder with one XML file per picture.

    Args:
        folder: The output folder.

    Attributes:
        renamed: Maps the path of a picture to that of its XML file, both relative to their folders,
            for each XML file whose usual path the output folder rejects.
        replaced_reviews: Paths of the pictures whose reviewed predictions were replaced by others.

    Raises:
        OutputError: The folder does not exist or cannot be accessed.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.renamed: dict[str, str] = {}
        self.replaced_reviews: list[str] = []

    def write(self, row: Row) -> None:
        """Writes the XML file of a picture, unless `row.kept`."""
        if not row.kept:
            data = xml.encode_prediction(row.prediction)
            name, was_review = self.place_file(
                row.picture.xml, lambda path: self._replace(path, data)
            )
            if was_review and row.prediction.status != "reviewed":
                self.replaced_reviews.append(row.picture.file)
            if row.picture.renamed or name != row.picture.xml:
                self.renamed[row.picture.file] = name

    def _replace(self, path: Path, data: bytes) -> bool:
        """Writes an XML file atomically, but never replaces a picture.

        If the output folder is the input folder, a picture named `a.xml` may have been added since
        the folder was listed.

        Returns:
            Whether the file of a reviewed prediction was replaced.

        Raises:
            OSError: The file cannot be written, or `path` is a picture; see also
                `OutputFolder.write_at`.
        """
        start = _read_start(path)
        if sniff(start[:SNIFFED_BYTES]) is not None:
            raise OSError(errno.EEXIST, "a picture has this name")
        was_review = _REVIEWED in start and _is_review(path)
        self.write_at(path, data)
        return was_review

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:  # noqa: ARG002
        """Returns whether the XML file has every value that a new one has.

        Files of earlier versions lack `female`.
        """
        known: list[Prediction | Face] = [prediction, *prediction.faces]
        return all(each.confidence is None or each.p_female is not None for each in known)

    def has_xml(self, picture: PictureFile) -> bool:
        """Returns whether an XML file of a picture exists, valid or not."""
        return any(map(os.path.lexists, self.possible_paths(picture.xml)))

    def read_prediction(self, picture: PictureFile) -> Prediction | None:
        """Returns the prediction in the XML file that an earlier run wrote for a picture.

        Returns:
            The prediction; None if there is no valid XML file that names this picture.
        """
        for path in self.possible_paths(picture.xml):
            try:
                prediction = xml.decode_prediction(read_regular_file(path, MAX_BYTES))
            except (OSError, ValueError):
                continue
            if prediction.file == picture.file:
                return prediction
        return None

    def read_other(self, picture: PictureFile) -> str | None:
        """Returns the path of the picture that the XML file of a picture names, if it is another.

        Returns:
            The path, relative to the input folder; None if there is no valid XML file.
        """
        try:
            data = read_regular_file(self._folder / picture.xml, MAX_BYTES)
            file = xml.decode_prediction(data).file
        except (OSError, ValueError):
            return None
        return None if file == picture.file else file


def _is_review(path: Path) -> bool:
    """Returns whether a file is the XML file of a reviewed prediction."""
    try:
        data = read_regular_file(path, MAX_BYTES)
        return xml.decode_prediction(data).status == "reviewed"
    except (OSError, ValueError):
        return False


def _read_start(path: Path) -> bytes:
    """Returns the beginning of a file; nothing if it cannot be read."""
    try:
        return read_regular_file(path, _START)
    except OSError:
        return b""


def open_output(path: Path, _: OutputSettings = DEFAULTS) -> XmlFolder:
    """Opens the output; exceptions as for `XmlFolder`."""
    return XmlFolder(path)

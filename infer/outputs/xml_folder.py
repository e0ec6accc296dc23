"""The output folder of the XML files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from image_gender_classifier.imaging.formats import SNIFFED_BYTES, sniff
from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.atomic import read_written
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.results import Prediction

_MAX_BYTES = 2**22  # of an XML file: room for 30,000 faces


class XmlFolder(OutputFolder):
    """Writes one XML file per picture and reads those of earlier runs.

    Attributes:
        rewritten: The XML files that could not get their usual paths, by the pictures' paths.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.rewritten: dict[str, str] = {}

    def write(self, row: Row) -> None:
        """Writes a picture's XML file, unless the earlier one is kept."""
        if not row.kept:
            name = self.write_file(row.picture.xml, xml.encode(row.prediction))
            if row.picture.rewritten or name != row.picture.xml:
                self.rewritten[row.picture.file] = name

    def write_at(self, path: Path, data: bytes) -> None:
        """Writes a whole file or none, but replaces no picture.

        Where the pictures lie beside their XML files, one that is called `a.xml` may have arrived
        since the folder was listed.
        """
        if _is_picture(path):
            raise OSError(errno.EEXIST, "a picture has this name")
        super().write_at(path, data)

    def has(self, picture: PictureFile) -> bool:
        """Says whether a picture has an XML file, valid or not."""
        return any(map(os.path.lexists, self.written(picture.xml)))

    def earlier(self, picture: PictureFile) -> Prediction | None:
        """Returns the prediction of an earlier run; None if there is no valid XML file of it."""
        for path in self.written(picture.xml):
            try:
                prediction = xml.decode(read_written(path, _MAX_BYTES))
            except (OSError, ValueError):
                continue
            if prediction.file == picture.file:
                return prediction
        return None


def _is_picture(path: Path) -> bool:
    try:
        return sniff(read_written(path, SNIFFED_BYTES)) is not None
    except OSError:
        return False


open_output = XmlFolder

"""The output folder of the XML files."""

from __future__ import annotations

import os

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.atomic import read_written
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.results import Prediction

_MAX_BYTES = 2**22  # of an XML file: room for 30,000 faces


class XmlFolder(OutputFolder):
    """Writes one XML file per picture and reads those of earlier runs."""

    def write(self, row: Row) -> None:
        """Writes a picture's XML file, unless the earlier one is kept."""
        if not row.kept:
            self.write_file(row.picture.xml, xml.encode(row.prediction))

    def has(self, picture: PictureFile) -> bool:
        """Says whether a picture has an XML file, valid or not."""
        return os.path.lexists(self._folder / picture.xml)

    def earlier(self, picture: PictureFile) -> Prediction | None:
        """Returns the prediction of an earlier run; None if there is no valid XML file of it."""
        try:
            prediction = xml.decode(read_written(self._folder / picture.xml, _MAX_BYTES))
        except (OSError, ValueError):
            return None
        return prediction if prediction.file == xml.printable(picture.file) else None


open_output = XmlFolder

"""Where verdicts go: an XML file each, and drawings and rows of tables where they are wanted."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.atomic import (
    create,
    discard,
    open_written,
    partial_path,
    read_written,
    remove_leftovers,
    write_whole,
)
from image_gender_classifier.outputs.naming import PictureFile, picture_id
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Face, Prediction

COLUMNS = (
    *("id", "file", "gender", "confidence", "status", "faces"),
    *("x", "y", "width", "height", "detector", "run", "message"),
)

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"  # how a JPEG file starts and ends
_MOST_BYTES = 2**22  # of an XML file: room for 30,000 faces

Row = Callable[[Prediction, Drawings], str]
"""From a verdict and what was drawn of it to a piece of a file."""


class OutputFolder:
    """A folder in which the input's folders are mirrored.

    Raises:
        OutputError: It cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[Path] = set()
        self._prepare(folder)

    def write_file(self, name: str, data: bytes) -> None:
        """Writes a file, whole or not at all.

        Raises:
            OutputError: It cannot be written.
        """
        path = self._folder / name
        self._prepare(path.parent)
        write_whole(path, data)

    def _prepare(self, folder: Path) -> None:
        """Makes a folder below the output folder, and cleans it once."""
        if folder in self._known:
            return
        try:
            # The output folder itself must exist: one that vanished is not made anew.
            if folder != self._folder:
                self._prepare(folder.parent)
                folder.mkdir(exist_ok=True)
                if folder.is_symlink():
                    raise OSError(None, "it is a link, which may lead elsewhere; remove it")
            remove_leftovers(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made ({error.strerror})") from None
        self._known.add(folder)


class XmlFolder(OutputFolder):
    """The folder of the XML files."""

    def write(self, picture: PictureFile, prediction: Prediction) -> None:
        """Writes a picture's XML file; raises as `write_file`."""
        self.write_file(picture.xml, xml.encode(prediction))

    def has(self, picture: PictureFile) -> bool:
        """Tells whether a picture has an XML file, whatever is in it."""
        return os.path.lexists(self._folder / picture.xml)

    def earlier(self, picture: PictureFile, run: str) -> Prediction | None:
        """The verdict of an earlier run on the same picture, with the same model and options."""
        try:
            prediction = xml.decode(read_written(self._folder / picture.xml, _MOST_BYTES))
        except (OSError, ValueError):
            return None
        same = prediction.run == run and prediction.file == xml.printable(picture.file)
        return prediction if same else None


class DrawingFolder(OutputFolder):
    """The folder of the copies with boxes and verdicts drawn on them."""

    def write(self, picture: PictureFile, copy: bytes, run: str) -> None:
        """Writes a copy (a JPEG file) of what a run said; raises as `write_file`."""
        self.write_file(picture.drawing, _SOI + _comment(run) + copy.removeprefix(_SOI))

    def shows(self, picture: PictureFile, run: str) -> bool:
        """Tells whether there is a copy of what that run said."""
        wanted = _SOI + _comment(run)
        try:
            with open_written(self._folder / picture.drawing) as file:
                begins = file.read(len(wanted)) == wanted
                file.seek(-len(_EOI), os.SEEK_END)  # a power cut may have left the beginning only
                return begins and file.read() == _EOI
        except OSError:
            return False


def _comment(run: str) -> bytes:
    text = f"run {run}".encode("ascii")
    return b"\xff\xfe" + (2 + len(text)).to_bytes(2, "big") + text


class Table:
    """A file with a row for each picture; it takes its name when the run ends.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, row: Row, header: str = "", footer: str = "") -> None:
        self._path = path
        self._partial = partial_path(path)
        self._row = row
        self._footer = footer
        self._fault: str | None = None
        with self._explained():
            remove_leftovers(path.parent)
            self._file = os.fdopen(create(self._partial), "w", encoding="utf-8", newline="")
            self._file.write(header)

    def add(self, prediction: Prediction, drawings: Drawings = NO_DRAWINGS) -> None:
        """Adds a picture's row."""
        with self._explained():
            self._file.write(self._row(prediction, drawings))

    def finish(self) -> None:
        """Gives the file its name, with the rows that it has, unless one could not be written."""
        with self._explained():
            try:
                with self._file:
                    self._file.write(self._footer)
                if self._fault is not None:
                    raise OSError(None, self._fault)
                self._partial.replace(self._path)
            except BaseException:
                discard(self._partial)
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._fault = error.strerror
            raise OutputError(f"{self._path}: cannot be written ({error.strerror})") from None


def csv_table(path: Path) -> Table:
    """A CSV file with a header (`COLUMNS`); box and detector are the main face's."""
    return Table(path, _csv_row, header=_csv_line(COLUMNS))


def jsonl_table(path: Path) -> Table:
    """A file with a JSON object a line, of the same names and values as the XML."""
    return Table(path, _json_row)


def contact_sheet(path: Path) -> Table:
    """A page with the doubtful pictures."""
    from image_gender_classifier.outputs.contact_sheet import FOOT, HEAD, piece

    return Table(path, piece, HEAD, FOOT)


def _csv_row(prediction: Prediction, _: Drawings) -> str:
    place: Sequence[object] = ("",) * 5
    if prediction.faces:
        place = (*xml.rounded(prediction.faces[0]), prediction.faces[0].detector)
    confidence = "" if prediction.confidence is None else xml.confidence_text(prediction.confidence)
    return _csv_line(
        (
            xml.printable(picture_id(prediction.file)),
            xml.printable(prediction.file),
            prediction.gender,
            confidence,
            prediction.status,
            len(prediction.faces),
            *place,
            prediction.run,
            xml.printable(prediction.message or ""),
        )
    )


def _csv_line(values: Sequence[object]) -> str:
    import csv  # late: most runs write no table

    line = io.StringIO()
    # A value is quoted for a carriage return only where that is in the line's end.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue().removesuffix("\r\n") + "\n"


def _json_row(prediction: Prediction, _: Drawings) -> str:
    row: dict[str, object] = {
        "id": xml.printable(picture_id(prediction.file)),
        "file": xml.printable(prediction.file),
        "gender": prediction.gender,
        "confidence": _shown(prediction.confidence),
        "status": prediction.status,
        "run": prediction.run,
        "message": None if prediction.message is None else xml.printable(prediction.message),
        "faces": [_json_face(face) for face in prediction.faces],
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def _json_face(face: Face) -> dict[str, object]:
    x, y, width, height = xml.rounded(face)
    box = {"x": x, "y": y, "width": width, "height": height}
    classified = {"gender": face.gender, "confidence": _shown(face.confidence)}
    return {**box, **classified, "detector": face.detector}


def _shown(confidence: float | None) -> float | None:
    return None if confidence is None else float(xml.confidence_text(confidence))

"""Writes XMP sidecars to a folder, or merges into those that are there (`--xmp`)."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.errors import FileNotWritten
from image_gender_classifier.manifest.cache_key import cache_key
from image_gender_classifier.outputs.atomic import read_regular_file
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.regions import locate_region
from image_gender_classifier.outputs.settings import DEFAULTS, XMP_SUFFIX, OutputSettings
from image_gender_classifier.outputs.sidecar import Content, find_run, merge
from image_gender_classifier.outputs.xml import round_box
from image_gender_classifier.outputs.xmp_terms import MARK, LabelledRegion
from image_gender_classifier.results import Face, Prediction, Stored

_MAX_BYTES = 2**24
_KEY_DIGITS = 12


class XmpFolder(OutputFolder):
    """The folder of the sidecars. It may be the folder of the pictures."""

    def write(self, row: Row) -> None:
        """Merges a prediction into the sidecar of its picture; creates it only if it has a face.

        Without `row.drawings.stored`, `can_reuse` has found that the sidecar has the content.

        Raises:
            FileNotWritten: The sidecar that exists cannot be read, or is not XMP.
            OutputError: The sidecar cannot be written.
        """
        if row.kept:
            return
        name = row.picture.full + XMP_SUFFIX
        content = _make_content(row.prediction, row.drawings.stored)
        path, existing = self._read(name)
        if existing is None and content.is_empty:
            return
        try:
            reused = existing if row.drawings.stored is None else None
            if reused is not None and find_run(reused) == content.run:
                return
            merged = merge(existing, content)
        except ValueError as error:
            raise FileNotWritten(
                f"{path}: stays as it is, because {error}; move it away to get a new one"
            ) from None
        if merged != existing:
            self.write_file(name, merged)

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:
        """Returns whether the sidecar is that of a prediction; see `Output.can_reuse`."""
        try:
            _, existing = self._read(picture.full + XMP_SUFFIX)
            run = None if existing is None else find_run(existing)
        except (FileNotWritten, ValueError):
            return False  # `write` reports it
        return run == (_make_key(prediction) if _has_content(prediction) else None)

    def _read(self, name: str) -> tuple[Path, bytes | None]:
        """Returns the path and the content of a sidecar; None if there is none."""
        for path in self.possible_paths(name):
            try:
                data = read_regular_file(path, _MAX_BYTES + 1)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise FileNotWritten(f"{path}: cannot be read ({error.strerror})") from None
            if len(data) > _MAX_BYTES:
                raise FileNotWritten(f"{path}: stays as it is, because it is too large")
            return path, data
        return path, None


def _has_content(prediction: Prediction) -> bool:
    return not (prediction.shows_no_face or prediction.status == "unreadable")


def _make_key(prediction: Prediction) -> str:
    """Returns a key that differs if the regions or the genders in the sidecar differ.

    The `run` of a prediction determines them, unless a person has reviewed it: then it is the same
    whatever they said.
    """
    if prediction.status != "reviewed":
        return prediction.run
    faces = ((face.gender, *round_box(face)) for face in prediction.faces)
    return cache_key(prediction.run, prediction.gender, *faces)[:_KEY_DIGITS]


def _make_content(prediction: Prediction, stored: Stored | None) -> Content:
    key = _make_key(prediction)
    if not _has_content(prediction):
        return Content(key)
    content = Content(key, prediction.gender)
    if stored is None:
        return content
    located = ((face, locate_region(face.box, stored)) for face in prediction.faces)
    regions = [LabelledRegion(region, _describe(face)) for face, region in located if region]
    return content._replace(size=(stored.width, stored.height), regions=regions)


def _describe(face: Face) -> str:
    if face.gender is None:
        return f"{MARK}: not classified"
    if face.confidence is None:
        return f"{MARK}: {face.gender}"
    return f"{MARK}: {face.gender} ({face.confidence:.2f})"


def open_output(path: Path, _: OutputSettings = DEFAULTS) -> XmpFolder:
    """Opens the folder of XMP sidecars.

    Raises:
        OutputError: The folder does not exist or cannot be accessed.
    """
    return XmpFolder(path)

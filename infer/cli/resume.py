"""Finds pictures whose predictions from an earlier run are still valid (`--resume`)."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.cli.writing import OutputWriter
from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.files import NO_SUCH_FILE, has_lost_folder, read_bytes
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.imaging.versions import unreadable_key
from image_gender_classifier.manifest.cache_key import run_hash, unreadable
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.results import Prediction
from image_gender_classifier.system import logs
from image_gender_classifier.system.profiling import OFF, Clock
from image_gender_classifier.workers.supervisor import Outcome


class EarlierPredictions:
    """Looks up predictions of an earlier run; callable with a picture.

    Args:
        pictures: The input folder.
        limits: Limits on the size of pictures.
        key: The cache key of the settings.
        writer: The outputs, which contain the earlier predictions.
        clock: Measures the time of each stage.
    """

    def __init__(
        self, pictures: Path, limits: Limits, key: str, writer: OutputWriter, clock: Clock = OFF
    ) -> None:
        self._pictures = pictures
        self._limits = limits
        self._key = key
        self._writer = writer
        self._clock = clock

    def __call__(self, picture: PictureFile) -> Outcome | None:
        """Returns the outcome of a picture, or None if the picture must be classified."""
        self._clock.lap("wait for the workers")
        outcome = self._find_outcome(picture)
        if outcome is not None and outcome.kept:
            logs.info("keeping the XML file of %s", picture.file)
        self._clock.lap("compare with the earlier run")
        return outcome

    def _find_outcome(self, picture: PictureFile) -> Outcome | None:
        try:
            data = read_bytes(self._pictures / picture.file, self._limits)
        except Unfinished:  # a worker reports it, unless it can read the file
            return None
        except UnreadablePicture as error:
            if str(error) == NO_SUCH_FILE and has_lost_folder(self._pictures / picture.file):
                return None
            prediction = unreadable(picture.file, str(error), self._key)
            earlier = self._writer.xml.read_prediction(picture)
            kept = earlier is not None and earlier.run == prediction.run
            return Outcome(picture, prediction, kept)
        earlier = self._writer.xml.read_prediction(picture)
        if earlier is None or earlier.run != self._compute_run(data, earlier):
            return None
        if not all(output.can_reuse(picture, earlier) for output in self._writer.outputs):
            return None
        return Outcome(picture, earlier, kept=True)

    def _compute_run(self, data: bytes, earlier: Prediction) -> str:
        key = unreadable_key(self._key) if earlier.status == "unreadable" else self._key
        return run_hash(data, key)

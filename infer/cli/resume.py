"""Finds pictures whose predictions from an earlier run are still valid (`--resume`, `--watch`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.cli.writing import OutputWriter
from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.files import EMPTY, NO_SUCH_FILE, is_parent_missing, read_bytes
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.imaging.versions import unreadable_key
from image_gender_classifier.manifest.cache_key import (
    REVIEWED,
    make_unreadable_prediction,
    run_hash,
)
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.picture_content import review_run
from image_gender_classifier.results import Prediction
from image_gender_classifier.system import logs
from image_gender_classifier.system.profiling import OFF, Clock
from image_gender_classifier.workers.supervisor import Outcome

if TYPE_CHECKING:
    from image_gender_classifier.cli.corrections import CorrectionSet


class EarlierPredictions:
    """Looks up the predictions of earlier runs and checks by their `run` that they are valid.

    Instances are callable; they are passed to `Supervisor.classify` as `known`.

    Args:
        pictures: The input folder.
        limits: Limits on the size of pictures.
        key: The cache key: a hash of everything except the picture that affects a prediction.
        writer: The open outputs; its XML folder contains the earlier predictions.
        clock: Measures the stages.
        corrections: A reviewed prediction is kept only if they agree with it.
    """

    def __init__(
        self,
        pictures: Path,
        limits: Limits,
        key: str,
        writer: OutputWriter,
        clock: Clock = OFF,
        corrections: CorrectionSet | None = None,
    ) -> None:
        self._pictures = pictures
        self._limits = limits
        self._key = key
        self._writer = writer
        self._clock = clock
        self._corrections = corrections
        self._reviewed: dict[str, Prediction] = {}  # by path of the picture, to be drawn again

    def __call__(self, picture: PictureFile) -> Outcome | None:
        """Returns the outcome of a picture, if it need not be classified.

        Returns:
            An outcome with `kept` set if the earlier prediction is valid: content, models and
            settings are unchanged and all outputs can reuse it, or the file still cannot be read,
            for the same reason. One without `kept` if only its `run` is renewed, or if the file
            cannot be read and the earlier run did not report this; without a prediction if a person
            has reviewed it. None if the picture must be classified.
        """
        self._clock.lap("wait for the workers")
        outcome = self._find_outcome(picture)
        if outcome is not None and outcome.kept:
            logs.info("keeping the XML file of %s", picture.file)
        self._clock.lap("compare with the earlier run")
        return outcome

    def _find_outcome(self, picture: PictureFile) -> Outcome | None:
        path = f"{self._pictures}/{picture.file}"  # faster than joining Path objects
        try:
            data = read_bytes(path, self._limits)
        except Unfinished:  # a worker reports it, unless it can read the file
            return None
        except UnreadablePicture as error:
            if str(error) == NO_SUCH_FILE and is_parent_missing(path):
                return None
            prediction = make_unreadable_prediction(picture.file, str(error), self._key)
            earlier = self._writer.xml.read_prediction(picture)
            # Only an empty file shows that it is not the picture that a person has seen.
            if earlier is not None and earlier.status == "reviewed" and str(error) != EMPTY:
                error_text = f"{error}; its review is kept"
                return Outcome(picture, None, error=error_text, unfinished=True)
            kept = earlier is not None and earlier.run == prediction.run
            return Outcome(picture, prediction, kept)
        earlier = self._writer.xml.read_prediction(picture)
        valid = None if earlier is None else self._validate(earlier, data)
        if valid is None:
            return None
        final = valid
        if self._corrections is not None and valid.status != "reviewed":
            # Outputs that draw need a new drawing for a correction.
            final = self._corrections.correct(valid, data)
        if not all(output.can_reuse(picture, final) for output in self._writer.outputs):
            if valid.status == "reviewed":
                self._reviewed[picture.file] = valid
            return None
        return Outcome(picture, valid, kept=valid == earlier)

    def restore_review(self, outcome: Outcome) -> Outcome:
        """Returns the outcome of a picture with what a person said about it.

        A reviewed picture is classified again if an output needs a drawing of it.
        """
        reviewed = self._reviewed.pop(outcome.picture.file, None)
        if reviewed is None or outcome.prediction is None:
            return outcome
        return outcome._replace(prediction=reviewed)

    def _validate(self, earlier: Prediction, data: bytes) -> Prediction | None:
        """Returns an earlier prediction if it is still valid; a review is, whatever the options.

        A review by version 0.2.0 gets the `run` of this version, so that it outlasts other metadata
        from now on.
        """
        if earlier.status != "reviewed":
            key = unreadable_key(self._key) if earlier.status == "unreadable" else self._key
            return earlier if earlier.run == run_hash(data, key) else None
        run = review_run(data)
        if earlier.run != run and earlier.run != run_hash(data, REVIEWED):
            return None
        if self._corrections is not None and not self._corrections.agree(earlier, data):
            return None
        return replace(earlier, run=run)

"""The result of a run, and messages about pictures that are unreadable or have no prediction."""

from __future__ import annotations

from typing import NamedTuple

from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.system import logs
from image_gender_classifier.workers.supervisor import Outcome


class RunReport(NamedTuple):
    """The result of a run.

    Attributes:
        totals: Numbers of pictures by result.
        unread: Number of subfolders, files and given paths that could not be read completely.
        summary: The summary line, as printed at the end of the run: text or a JSON object.
        has_reader: False if the run ended because the program that reads its standard output had
            ended.
    """

    totals: Totals
    unread: int
    summary: str
    has_reader: bool = True


def report_outcome(
    outcome: Outcome, progress: Progress, retry: str = "--resume tries it again"
) -> None:
    """Prints why a picture has no prediction or is unreadable; nothing for other pictures.

    A picture that an earlier run has reported as unreadable (`outcome.kept`) is not printed again.

    Args:
        outcome: The outcome of the picture.
        progress: The progress bar, above which the message is printed.
        retry: End of the message about an unfinished picture: when the picture is tried again.
    """
    prediction = outcome.prediction
    if prediction is None:
        report_failure(outcome, progress, "no XML file is written", retry)
        return
    logs.debug("%s: %s, %s", outcome.picture.file, prediction.status, prediction.gender)
    if prediction.status == "unreadable" and not outcome.kept:
        progress.print_message(f"{escape_text(prediction.file)!r}: {prediction.message}")


def report_failure(outcome: Outcome, progress: Progress, missing: str, retry: str) -> None:
    """Prints why a picture has no prediction.

    Args:
        outcome: The outcome of the picture, without a prediction.
        progress: See `report_outcome`.
        missing: What the picture lacks, for the message.
        retry: See `report_outcome`.
    """
    hint = retry if outcome.unfinished else "--debug shows the traceback"
    file = escape_text(outcome.picture.file)
    progress.print_message(f"{file!r}: {outcome.error}; {missing}; {hint}")

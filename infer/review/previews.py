"""Draws previews in worker processes, which may crash or hang on a hostile picture."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.settings import THUMBNAIL_SIDE
from image_gender_classifier.results import Preview
from image_gender_classifier.review.items import resolve_picture
from image_gender_classifier.settings import Settings
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Outcome, Supervisor

LARGE_SIDE = 1600
"""Longest side of a picture in the large view, in pixels."""

MISSING = "there is no such picture in the folder, or it is a link to a file elsewhere"


def make_task(workers: int, debug: bool) -> Task:
    """Returns the task of worker processes that draw previews."""
    return Task(Settings(), workers, previews=True, debug=debug)


def draw_all(
    folder: Path, files: Sequence[str], workers: int, debug: bool = False
) -> Iterator[Preview]:
    """Draws the thumbnails of pictures.

    Args:
        folder: The folder of pictures.
        files: Their paths, relative to it.
        workers: Maximum number of worker processes.
        debug: Whether to print their tracebacks and standard error.

    Yields:
        A preview for each picture, in order.

    Raises:
        RuntimeMissing: No worker process can be started, or OpenCV cannot be used.
        Unfinished, InternalError: The workers do not start: memory or time is short, or a bug.
    """
    with Supervisor(make_task(max(min(workers, len(files)), 1), debug)) as supervisor:
        yield from draw(supervisor, folder, files, THUMBNAIL_SIDE)


def draw(
    supervisor: Supervisor, folder: Path, files: Sequence[str], side: int
) -> Iterator[Preview]:
    """Draws previews with a running supervisor; see `draw_all`."""
    root = os.path.realpath(folder)
    resolved = (resolve_picture(root, file) for file in files)
    pictures = (PictureFile("" if file is None else file, "") for file in resolved)

    def find_missing(picture: PictureFile) -> Outcome | None:
        return None if picture.file else Outcome(picture, None, error=MISSING)

    for outcome in supervisor.classify(pictures, Path(root), find_missing, side):
        yield outcome.preview or Preview(message=_explain(outcome))


def _explain(outcome: Outcome) -> str:
    """Returns why there is no preview: an error, or a worker that crashed."""
    prediction = outcome.prediction
    message = outcome.error if prediction is None else prediction.message
    return message or "no preview"

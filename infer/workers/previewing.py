"""Draws previews of pictures in a worker process: loads the decoders, answers jobs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from image_gender_classifier.errors import Unfinished, describe_bug
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.workers.isolation import load_opencv, print_traceback
from image_gender_classifier.workers.loaded import Loaded
from image_gender_classifier.workers.messages import Answer, Job, Ready, Task


def load(task: Task) -> Loaded:
    """Loads the libraries that decode pictures; no models.

    Args:
        task: The settings of the workers.

    Returns:
        What draws previews.

    Raises:
        RuntimeMissing: OpenCV cannot be used.
    """
    load_opencv()
    from image_gender_classifier.outputs import preview  # noqa: F401  before the fork

    limits = Limits.from_settings(task.settings)
    draw = partial(_draw_preview, task=task, limits=limits)
    return Loaded(draw, Ready("", model="no model"), limits.memory)


def _draw_preview(job: Job, task: Task, limits: Limits) -> Answer:
    """Draws a preview of a picture."""
    from image_gender_classifier.outputs.preview import draw_file

    try:
        return Answer(job.number, None, preview=draw_file(Path(job.path), job.side, limits))
    except Unfinished as error:
        return Answer(job.number, None, str(error), unfinished=True)
    except Exception as error:
        if task.debug:
            print_traceback()
        return Answer(job.number, None, describe_bug(error))

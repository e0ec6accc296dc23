"""Classifies pictures in a worker process: loads the libraries and models, answers jobs."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING

from image_gender_classifier.errors import (
    GenderClassifierError,
    InternalError,
    RuntimeFallback,
    Unfinished,
    describe_bug,
)
from image_gender_classifier.imaging.files import NO_SUCH_FILE, is_parent_missing
from image_gender_classifier.outputs.settings import THUMBNAIL_SIDE
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.system import profiling
from image_gender_classifier.workers.isolation import load_opencv, print_traceback
from image_gender_classifier.workers.loaded import Loaded
from image_gender_classifier.workers.messages import Answer, Job, Ready, Task, Unusable

if TYPE_CHECKING:  # slow to import
    from image_gender_classifier.engine import Engine, View


def load(task: Task, clock: profiling.Clock) -> Loaded:
    """Loads the libraries and models.

    Args:
        task: The settings of the workers.
        clock: Measures the stages.

    Returns:
        What classifies pictures.

    Raises:
        GenderClassifierError: A library, model or setting cannot be used.
    """
    load_opencv()
    from image_gender_classifier.engine import Engine

    clock.lap("load the libraries")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeFallback)
        engine = Engine.open(task.settings)
    clock.lap("open the models")
    parts = engine.parts
    model = f"{parts.runtime} runs {parts.classifier.entry.file}"
    fallbacks = [str(one.message) for one in caught if issubclass(one.category, RuntimeFallback)]
    seconds, threshold = clock.take_seconds(), parts.classifier.threshold
    return Loaded(
        partial(_classify, task=task, engine=engine, clock=clock),
        Ready(engine.cache_key, seconds, model, tuple(fallbacks), threshold),
        parts.limits.memory,
    )


def _classify(job: Job, task: Task, engine: Engine, clock: profiling.Clock) -> Answer | Unusable:
    """Classifies a picture.

    Args:
        job: The picture.
        task: Which drawings to make, and whether to print tracebacks.
        engine: Classifies the picture.
        clock: Measures the stages.

    Returns:
        An answer with the prediction or with the reason why there is none; `Unusable` if no picture
        can be classified.
    """
    drawings = NO_DRAWINGS

    def show(view: View, prediction: Prediction) -> None:
        nonlocal drawings
        drawings = _draw(view, prediction, task)

    wanted = task.copies or task.thumbnails or task.stored
    try:
        prediction = engine.classify_file(job.path, job.file, show if wanted else None, clock)
    except Unfinished as error:
        return Answer(job.number, None, str(error), unfinished=True)
    except InternalError as error:
        if task.debug:
            print_traceback()
        return Answer(job.number, None, describe_bug(error.__cause__ or error))
    except GenderClassifierError as error:
        if task.debug:
            print_traceback()
        return Unusable.from_exception(error)
    if prediction.message == NO_SUCH_FILE and is_parent_missing(job.path):
        why = "its folder does not exist or was unmounted; check the path or connect the drive"
        return Answer(job.number, None, why, unfinished=True)
    return Answer(job.number, prediction, None, drawings, clock.take_seconds())


def _draw(view: View, prediction: Prediction, task: Task) -> Drawings:
    """Returns the drawings of a picture that the task asks for."""
    from image_gender_classifier.outputs.annotated import draw_prediction
    from image_gender_classifier.outputs.preview import draw_picture

    return Drawings(
        draw_prediction(view(task.copy_side), prediction, task.copy_side) if task.copies else None,
        draw_picture(view(THUMBNAIL_SIDE), THUMBNAIL_SIDE) if task.thumbnails else None,
        view(0).stored if task.stored else None,
    )

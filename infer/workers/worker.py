"""The worker processes: the first one loads the libraries and models and forks the others.

Forked workers share the memory of the first process and start within milliseconds. They decode the
pictures, so a crash of a decoder ends only one of them. A single worker needs no fork: the first
process classifies the pictures itself.
"""

from __future__ import annotations

import gc
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from image_gender_classifier.errors import (
    GenderClassifierError,
    InternalError,
    RuntimeFallback,
    Unfinished,
)
from image_gender_classifier.imaging import opencv
from image_gender_classifier.imaging.files import (
    NO_SUCH_FILE,
    OUT_OF_MEMORY,
    is_parent_missing,
)
from image_gender_classifier.outputs.settings import THUMBNAIL_SIDE
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.system import memory, profiling
from image_gender_classifier.workers.channel import Channel, encode
from image_gender_classifier.workers.exit_status import INTERNAL_ERROR_CODE
from image_gender_classifier.workers.isolation import (
    detach,
    keep_freed_memory,
    print_traceback,
    silence_standard_streams,
)
from image_gender_classifier.workers.messages import (
    Answer,
    Ended,
    Fork,
    ForkFailed,
    Job,
    Ready,
    Started,
    Task,
    Unusable,
)

if TYPE_CHECKING:
    from image_gender_classifier.engine import Engine, View
    from image_gender_classifier.imaging.limits import Limits

_SEND_INTERVAL = 0.01  # seconds: answers are sent together, so the parent process wakes less often
_THREAD_STACK = 2**23  # bytes; some decoders start a thread for each core
_MAX_STALE_BYTES = 2**20  # more than a pipe holds


def main(ends: Sequence[int], task: Task) -> NoReturn:
    """Runs the first process and the workers forked from it.

    They end when the parent process closes its ends of the pipes. The exit code is 0, or
    `INTERNAL_ERROR_CODE` after an exception.

    Args:
        ends: File descriptors in pairs: the read end of one pipe and the write end of another, for
            the first process, then for each worker. They are above those of the standard streams.
        task: The settings of the workers.
    """
    detach(ends)
    silence_standard_streams(keep_errors=task.debug)
    control, *channels = map(Channel, ends[::2], ends[1::2])
    try:
        _load_and_work(task, control, channels)
    except BrokenPipeError:  # the parent process has ended
        pass
    except BaseException:  # also in a forked worker
        print_traceback()
        os._exit(INTERNAL_ERROR_CODE)
    os._exit(0)  # skips the exit handlers of Python


def _load_and_work(task: Task, control: Channel, channels: Sequence[Channel]) -> None:
    clock = profiling.make_clock(task.profile)
    answer: Callable[[Job], Answer | Unusable]
    try:
        if task.previews:
            ready, limits = _load_decoders(task)
            answer = partial(_draw_preview, task=task, limits=limits)
        else:
            engine, ready = load_engine(task, clock)
            limits = engine.parts.limits
            answer = partial(classify, task=task, engine=engine, clock=clock)
    except GenderClassifierError as error:
        control.send(encode(_unusable(error, task)))
        return
    control.send(encode(ready))
    stacks = (os.cpu_count() or 1) * _THREAD_STACK
    memory.limit_growth(limits.memory + stacks)
    gc.freeze()  # the garbage collector must not write to shared memory
    gc.enable()

    own_channel = _fork_workers(control, channels)
    if own_channel is not None:
        _answer_jobs(own_channel, answer, clock)


def load_engine(task: Task, clock: profiling.Clock) -> tuple[Engine, Ready]:
    """Loads the libraries and models.

    Args:
        task: The settings of the workers.
        clock: Measures the stages.

    Returns:
        The engine, and the message that reports that it is loaded.

    Raises:
        GenderClassifierError: A library, model or setting cannot be used.
    """
    _load_opencv()
    from image_gender_classifier.engine import Engine

    clock.lap("load the libraries")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeFallback)
        engine = Engine.open(task.settings)
    clock.lap("open the models")
    model = f"{engine.parts.runtime} runs {engine.parts.classifier.entry.file}"
    fallbacks = [str(one.message) for one in caught if issubclass(one.category, RuntimeFallback)]
    threshold = engine.parts.classifier.threshold
    return engine, Ready(engine.cache_key, clock.take_seconds(), model, tuple(fallbacks), threshold)


def _load_opencv() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for NumPy
    opencv.check_opencv()
    import cv2

    cv2.setNumThreads(1)  # there is one process per core
    keep_freed_memory()


def _fork_workers(control: Channel, channels: Sequence[Channel]) -> Channel | None:
    """Forks workers on request and reports those that end, until the parent closes the pipe.

    Returns:
        In a forked worker, and in the first process if it is the only worker: the worker's channel.
        Otherwise None, after all workers have ended.
    """
    running: dict[int, int] = {}  # index of the worker by process id
    while (requests := control.receive()) is not None:
        for request in cast(Iterator[Fork], requests):
            if not request.workers:
                return channels[0]
            for place, worker in enumerate(request.workers):
                try:
                    process = os.fork()
                except OSError as error:
                    failed = ForkFailed(request.workers[place:], str(error.strerror))
                    control.send(encode(failed))
                    break
                if process == 0:
                    for channel in {control, *channels} - {channels[worker]}:
                        channel.close()
                    return channels[worker]
                running[process] = worker
        if running:
            process, status = os.wait()
            control.send(encode(Ended(running.pop(process), status)))  # it may be forked again
    for _ in running:
        os.wait()  # adds their CPU time to that of this process
    return None


def _answer_jobs(
    channel: Channel, answer: Callable[[Job], Answer | Unusable], clock: profiling.Clock
) -> None:
    """Answers jobs until the parent process closes the pipe."""
    os.set_blocking(channel.source, False)
    with suppress(BlockingIOError):  # jobs of an ended worker, which are sent again
        os.read(channel.source, _MAX_STALE_BYTES)
    os.set_blocking(channel.source, True)
    channel.send(encode(Started()))
    unsent, sent = b"", 0.0
    while (received := channel.receive()) is not None:
        jobs = list(cast(Iterator[Job], received))
        for job in jobs:
            clock.lap("wait for a picture")
            started = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, job.timeout)  # then SIGALRM ends this process
            message = answer(job)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if isinstance(message, Answer):
                message = message._replace(took=round(time.monotonic() - started, 3))
            unsent += _encode_answer(job, message)
            if job is jobs[-1] or time.monotonic() >= sent + _SEND_INTERVAL:
                channel.send(unsent)  # may block until the parent process reads
                unsent, sent = b"", time.monotonic()


def _encode_answer(job: Job, message: Answer | Unusable) -> bytes:
    """Encodes an answer; replaces it by an internal error if it cannot be encoded."""
    try:
        return encode(message)
    except Exception as error:
        from image_gender_classifier.engine import format_exception

        short = isinstance(error, MemoryError)
        why = OUT_OF_MEMORY if short else f"internal error ({format_exception(error)})"
        return encode(Answer(job.number, None, why, unfinished=short))


def classify(job: Job, task: Task, engine: Engine, clock: profiling.Clock) -> Answer | Unusable:
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
        from image_gender_classifier.engine import format_exception

        if task.debug:
            print_traceback()
        why = format_exception(error.__cause__ or error)
        return Answer(job.number, None, f"internal error ({why})")
    except GenderClassifierError as error:
        return _unusable(error, task)
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


def _load_decoders(task: Task) -> tuple[Ready, Limits]:
    """Loads the libraries that decode pictures; no models.

    Raises:
        RuntimeMissing: OpenCV cannot be used.
    """
    _load_opencv()
    from image_gender_classifier.imaging.limits import Limits
    from image_gender_classifier.outputs import preview  # noqa: F401  before the fork

    return Ready("", model="no model"), Limits.from_settings(task.settings)


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
        from image_gender_classifier.engine import format_exception

        return Answer(job.number, None, f"internal error ({format_exception(error)})")


def _unusable(error: GenderClassifierError, task: Task) -> Unusable:
    if task.debug:
        print_traceback()
    return Unusable(type(error).__name__, str(error))

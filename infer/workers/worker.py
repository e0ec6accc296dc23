"""The worker processes: one loads the libraries and models and forks the others.

The loaded process is shared memory for its forks, which start within milliseconds and decode the
pictures, so that a decoder that crashes takes only its own process down. A single worker needs no
fork: the loaded process classifies the pictures itself.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from image_gender_classifier.errors import GenderClassifierError, InternalError, RuntimeFallback
from image_gender_classifier.imaging import opencv
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.system import memory, profiling
from image_gender_classifier.workers.channel import Channel, decode, encode
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
    from image_gender_classifier.engine import Engine
    from image_gender_classifier.imaging.picture import Picture

_HELD = 0.01  # seconds that answers are held back, so that the command does not wake for each
_STANDARD = 3  # open files: input, output and error
_USUALLY_OPEN = 1024  # files at most
_THREAD_STACK = 2**23  # bytes; some decoders start a thread for each core
_ALONE = 1.5  # of the longest time a picture may take: then a worker ends without its command

# What glibc keeps instead of returning it to the system: to allocate it again takes as long as
# finding a face. The options' numbers (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD) and bytes.
_KEPT = ((-3, 2**23), (-1, 2**24))


def main(ends: Iterable[int], task: Task | str) -> NoReturn:
    """Serves the command until it closes its pipes.

    Args:
        ends: A read end and a write end, in turn: first the loading process's, then each worker's.
        task: What to do; an encoded message where this is a fresh interpreter.
    """
    files = [_above_standard(end) for end in ends]
    _detach(files)
    if isinstance(task, str):
        task = cast(Task, decode(task.encode()))
    for file in range(_STANDARD - 1 if task.debug else _STANDARD):
        # Libraries print about corrupt files; the predictions say it.
        os.dup2(os.open(os.devnull, os.O_RDWR), file)
    control, *channels = map(Channel, files[::2], files[1::2])
    try:
        _serve(task, control, channels)
    except BrokenPipeError:  # the command was killed
        pass
    except BaseException:  # in a worker that was forked here, too
        _print_traceback()
        os._exit(1)
    os._exit(0)  # without Python's clean-up


def _above_standard(file: int) -> int:
    """Leaves the numbers of standard input, output and error alone, which may have been closed."""
    return file if file >= _STANDARD else fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _STANDARD)


def _detach(kept: Sequence[int]) -> None:
    """Leaves the command's process group, signal handlers and open files."""
    with suppress(PermissionError):  # it leads a group already
        os.setsid()  # Ctrl-C in the terminal goes to the command alone
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    opened: Iterable[int] = range(_USUALLY_OPEN)
    with suppress(OSError):
        opened = [int(file.name) for file in Path("/dev/fd").iterdir()]
    for file in opened:  # a lock must not outlive a killed command
        if file not in kept and file >= _STANDARD:
            with suppress(OSError):
                os.close(file)


def _print_traceback() -> None:
    """Prints the traceback of the current exception, wherever standard error leads."""
    import traceback  # late: only a fault needs it

    with suppress(OSError):
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))


def _serve(task: Task, control: Channel, channels: Sequence[Channel]) -> None:
    clock = profiling.clock(task.profile)
    try:
        engine, ready = load(task, clock)
    except GenderClassifierError as error:
        control.send(encode(_unusable(error, task)))
        return
    control.send(encode(ready))
    stacks = (os.cpu_count() or 1) * _THREAD_STACK
    memory.limit_growth(engine.parts.limits.memory + stacks)
    gc.freeze()  # the garbage collector must not write to shared memory

    worker = _keep_workers(control, channels)
    if worker is not None:
        _work(worker, task, engine, clock)


def load(task: Task, clock: profiling.Clock) -> tuple[Engine, Ready]:
    """Loads the libraries and the models.

    Raises:
        GenderClassifierError: A library, a model or a setting cannot be used.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for NumPy
    opencv.check()
    import cv2

    from image_gender_classifier.engine import Engine

    cv2.setNumThreads(1)  # the workers are the parallelism
    _keep_memory()
    clock.lap("load the libraries")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeFallback)
        engine = Engine.open(task.settings)
    clock.lap("open the models")
    model = f"{engine.parts.runtime} runs {engine.parts.classifier.entry.file}"
    fallbacks = [str(one.message) for one in caught if issubclass(one.category, RuntimeFallback)]
    return engine, Ready(engine.cache_key, clock.taken(), model, tuple(fallbacks))


def _keep_memory() -> None:
    """Makes glibc keep the memory of a usual picture for the next one."""
    import ctypes  # NumPy loads it anyway

    with suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        for option, size in _KEPT:
            libc.mallopt(option, size)


def _keep_workers(control: Channel, channels: Sequence[Channel]) -> Channel | None:
    """Forks the workers and replaces those that end, until the command closes the pipe.

    Returns:
        In a worker, its channel.
    """
    running: dict[int, int] = {}  # process → worker
    ended: int | None = None
    while (orders := control.receive()) is not None:
        if ended is not None:
            _discard(channels[ended].source)
        for order in cast(Iterator[Fork], orders):
            if not order.workers:
                return channels[0]
            for place, worker in enumerate(order.workers):
                try:
                    process = os.fork()
                except OSError as error:
                    failed = ForkFailed(order.workers[place:], str(error.strerror))
                    control.send(encode(failed))
                    break
                if process == 0:
                    for channel in {control, *channels} - {channels[worker]}:
                        channel.close()
                    return channels[worker]
                running[process] = worker
        if running:
            process, status = os.wait()
            ended = running.pop(process)
            # The command reads its messages to their end, and sends it no jobs before it starts.
            control.send(encode(Ended(ended, status)))
    for _ in running:
        os.wait()  # so that the system counts their time as this process's
    return None


def _discard(pipe: int) -> None:
    """Empties a pipe."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while os.read(pipe, 2**16):
            pass
    os.set_blocking(pipe, True)


def _work(channel: Channel, task: Task, engine: Engine, clock: profiling.Clock) -> None:
    """Classifies pictures until the command closes the pipe."""
    channel.send(encode(Started(os.getpid())))
    held, sent = b"", 0.0
    while (received := channel.receive()) is not None:
        jobs = list(cast(Iterator[Job], received))
        for job in jobs:
            clock.lap("wait for a picture")
            signal.alarm(ceil(_ALONE * job.longest))
            began = time.monotonic()
            message = answer(job, task, engine, clock)
            signal.alarm(0)
            if isinstance(message, Answer):
                message = message._replace(took=round(time.monotonic() - began, 3))
            held += encode(message)
            if job is jobs[-1] or time.monotonic() >= sent + _HELD:
                channel.send(held)  # which may wait for the command
                held, sent = b"", time.monotonic()


def answer(job: Job, task: Task, engine: Engine, clock: profiling.Clock) -> Answer | Unusable:
    """Classifies a picture, or reports the error that it met."""
    drawings = NO_DRAWINGS

    def show(picture: Picture, prediction: Prediction) -> None:
        from image_gender_classifier.outputs.annotated import COPY_SIDE, THUMBNAIL_SIDE, draw

        nonlocal drawings
        small = task.thumbnails and prediction.doubtful
        drawings = Drawings(
            draw(picture, prediction, COPY_SIDE) if task.copies else None,
            draw(picture, prediction, THUMBNAIL_SIDE) if small else None,
        )

    wanted = task.copies or task.thumbnails
    try:
        prediction = engine.classify_file(job.path, job.file, show if wanted else None, clock)
    except InternalError as error:
        from image_gender_classifier.engine import one_line

        if task.debug:
            _print_traceback()
        return Answer(job.number, None, one_line(error.__cause__ or error))
    except GenderClassifierError as error:
        return _unusable(error, task)
    return Answer(job.number, prediction, None, drawings, clock.taken())


def _unusable(error: GenderClassifierError, task: Task) -> Unusable:
    if task.debug:
        _print_traceback()
    return Unusable(type(error).__name__, str(error))

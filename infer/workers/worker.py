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
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from image_gender_classifier.errors import GenderClassifierError, InternalError, RuntimeFallback
from image_gender_classifier.imaging import opencv
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.system import profiling
from image_gender_classifier.workers import messages
from image_gender_classifier.workers.messages import (
    Classified,
    Ended,
    Failed,
    Forked,
    ForkFailed,
    Job,
    Message,
    Ready,
    Started,
    Task,
    Unusable,
    Warned,
)

if TYPE_CHECKING:
    from image_gender_classifier.imaging.picture import Picture

_HELD = 0.01  # seconds that predictions are held back, so that the command does not wake for each
_PIECE = 2**16  # bytes
_STANDARD = 3  # open files: input, output and error
_USUALLY_OPEN = 1024  # files at most
_HANG = 90  # seconds: a worker whose command was killed ends itself at a hanging picture

# What glibc keeps instead of returning it to the system: to allocate it again takes as long as
# finding a face. The options' numbers (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD) and bytes.
_KEPT = ((-3, 2**23), (-1, 2**24))

Pipes = tuple[int, int]
"""The read end of a pipe for messages from the command, the write end of one for messages to it."""


def main(ends: Sequence[int]) -> NoReturn:
    """Serves the command until it closes its pipes.

    Args:
        ends: A read end and a write end, in turn: first the loading process's, then each worker's.
    """
    files = [_above_standard(end) for end in ends]
    control, *pipes = zip(files[::2], files[1::2], strict=True)
    _detach(files)
    channel = Channel(control)
    task = channel.receive()
    if isinstance(task, Task):
        _silence(range(_STANDARD - 1 if task.debug else _STANDARD))
        try:
            _serve(task, channel, pipes)
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
    for file in _open_files():  # a lock must not outlive a killed command
        if file not in kept and file >= _STANDARD:
            with suppress(OSError):
                os.close(file)


def _silence(standard: Iterable[int]) -> None:
    """Discards what libraries print about corrupt files; the predictions say it."""
    for file in standard:
        os.dup2(os.open(os.devnull, os.O_RDWR), file)


def _print_traceback() -> None:
    """Prints the traceback of the current exception, wherever standard error leads."""
    import traceback  # late: only a fault needs it

    with suppress(OSError):
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))


def _open_files() -> Iterable[int]:
    try:
        return [int(file.name) for file in Path("/dev/fd").iterdir()]
    except OSError:
        return range(_USUALLY_OPEN)


class Channel:
    """Receives and sends messages over two pipes."""

    def __init__(self, pipes: Pipes) -> None:
        self.pipes = pipes
        self._input, self._output = pipes
        self._frames = messages.Frames()
        self._received: deque[Message] = deque()
        self._held: list[bytes] = []
        self._sent = time.monotonic()

    def receive(self) -> Message | None:
        """Waits for the next message; None when the command has closed the pipe."""
        while not self._received:
            self.flush()  # before what may be a long wait
            piece = os.read(self._input, _PIECE)
            if not piece:
                return None
            self._received += self._frames.take(piece)
        return self._received.popleft()

    def send(self, message: Message) -> None:
        """Sends a message, at once or with those that follow it closely."""
        self._held.append(messages.encode(message))
        if time.monotonic() >= self._sent + _HELD:
            self.flush()

    def flush(self) -> None:
        """Sends what is held back."""
        data = memoryview(b"".join(self._held))
        self._held.clear()
        while data:
            data = data[os.write(self._output, data) :]
        self._sent = time.monotonic()


def _serve(task: Task, channel: Channel, pipes: Sequence[Pipes]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeFallback)
        try:
            classifier = PictureClassifier(task)
        except GenderClassifierError as error:
            if task.debug:
                _print_traceback()
            channel.send(_unusable(error))
            channel.flush()
            return
    for warning in caught:
        if issubclass(warning.category, RuntimeFallback):  # libraries warn too
            channel.send(Warned(str(warning.message)))
    channel.send(classifier.ready)
    channel.flush()
    gc.freeze()  # the garbage collector must not write to shared memory

    def work(worker: int) -> None:
        _work(Channel(pipes[worker]), classifier)

    if task.workers == 1:
        _work_here(0, channel, work)
    else:
        _keep_workers(channel, pipes, work)


def _work(channel: Channel, classifier: PictureClassifier) -> None:
    """Classifies pictures until the command closes the pipe."""
    channel.send(Started())
    while isinstance(job := channel.receive(), Job):
        signal.alarm(_HANG)
        answer = classifier.answer(job)
        signal.alarm(0)
        channel.send(answer)  # which may wait for the command


def _work_here(worker: int, channel: Channel, work: Callable[[int], None]) -> None:
    channel.send(Forked(worker, os.getpid()))
    channel.flush()
    work(worker)


def _keep_workers(channel: Channel, pipes: Sequence[Pipes], work: Callable[[int], None]) -> None:
    """Forks the workers and replaces those that end, until the command closes the pipe."""
    running: dict[int, int] = {}  # process → worker
    ends = {end for pair in pipes for end in pair}

    def fork(worker: int) -> bool:
        try:
            process = os.fork()
        except OSError as error:
            channel.send(ForkFailed(max(len(running), 1), str(error.strerror)))
            channel.flush()
            return False
        if process == 0:
            for end in ends.union(channel.pipes).difference(pipes[worker]):
                os.close(end)
            work(worker)
            os._exit(0)
        running[process] = worker
        channel.send(Forked(worker, process))
        channel.flush()
        return True

    for worker in range(len(pipes)):
        if not fork(worker):
            break
    worker = 0
    while running:
        process, status = os.wait()
        worker = running.pop(process)
        channel.send(Ended(worker, status))
        # The command reads the ended worker's messages to their end and sends it no further jobs.
        if channel.receive() is not None:
            _discard(pipes[worker][0])
            fork(worker)
    _work_here(worker, channel, work)  # no fork has succeeded, or the pipe is closed already


def _discard(pipe: int) -> None:
    """Empties a pipe."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while os.read(pipe, _PIECE):
            pass
    os.set_blocking(pipe, True)


class PictureClassifier:
    """Classifies one picture at a time.

    Raises:
        GenderClassifierError: A library, a model or a setting cannot be used.
    """

    def __init__(self, task: Task) -> None:
        clock = profiling.clock(task.profile)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for NumPy
        opencv.check()
        import cv2

        from image_gender_classifier.engine import Engine

        cv2.setNumThreads(1)  # the workers are the parallelism
        _keep_memory()
        clock.lap("load the libraries")
        self._engine = Engine.open(task.settings)
        clock.lap("open the models")
        parts = self._engine.parts
        model = f"{parts.runtime} runs {parts.classifier.entry.file}"
        self.ready = Ready(self._engine.cache_key, clock.taken(), model)
        self._task = task
        self._clock = clock

    def answer(self, job: Job) -> Message:
        """Classifies a picture, or reports the error that it met."""
        try:
            return self.classified(job)
        except InternalError as error:
            from image_gender_classifier.engine import one_line

            if self._task.debug:
                _print_traceback()
            return Failed(job.number, one_line(error.__cause__ or error))
        except GenderClassifierError as error:
            if self._task.debug:
                _print_traceback()
            return _unusable(error)

    def classified(self, job: Job) -> Classified:
        """Classifies a picture.

        Raises:
            InternalError: A bug in this package.
            GenderClassifierError: No picture can be classified.
        """
        self._clock.lap("wait for a picture")
        drawings = NO_DRAWINGS

        def show(picture: Picture, prediction: Prediction) -> None:
            from image_gender_classifier.outputs.annotated import COPY_SIDE, THUMBNAIL_SIDE, draw

            nonlocal drawings
            small = self._task.thumbnails and prediction.doubtful
            drawings = Drawings(
                draw(picture, prediction, COPY_SIDE) if self._task.copies else None,
                draw(picture, prediction, THUMBNAIL_SIDE) if small else None,
            )

        wanted = self._task.copies or self._task.thumbnails
        prediction = self._engine.classify_file(
            job.path, job.file, show if wanted else None, self._clock
        )
        return Classified(job.number, prediction, drawings, self._clock.taken())


def _unusable(error: GenderClassifierError) -> Unusable:
    return Unusable(type(error).__name__, str(error))


def _keep_memory() -> None:
    """Makes glibc keep the memory of a usual picture for the next one."""
    import ctypes  # NumPy loads it anyway

    with suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        for option, size in _KEPT:
            libc.mallopt(option, size)

"""The process that judges, kept apart from the one that writes.

A decoder that crashes on a hostile picture takes its process with it. So the command itself
touches no pixels: it sends the paths here, a line each, and gets verdicts back (see `wire`).
Pictures are judged by several threads: decoding, searching and judging all happen in libraries
that let other threads run meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO

from image_gender_classifier import stages, wire
from image_gender_classifier.errors import GenderClassifierError, RuntimeFallback, RuntimeMissing
from image_gender_classifier.stages import Clock
from image_gender_classifier.verdict import NO_DRAWINGS, Drawings, Verdict
from image_gender_classifier.wire import Begun, Failed, Job, Judged, Message, Ready, Task, Warned

if TYPE_CHECKING:
    from image_gender_classifier.api import GenderClassifier
    from image_gender_classifier.images import Picture

_CANNOT_LOAD = "run: pip install numpy 'opencv-python-headless<5'"


def main() -> None:
    """Serves the command that started this process, until it closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    _silence()
    with suppress(BrokenPipeError):
        _serve(sys.stdin.buffer, Voice(answers))
    os._exit(0)  # the command is done, or gone: nobody waits for what is on hand


class Voice:
    """Tells the command; for all threads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def tell(self, message: Message) -> None:
        """Sends a message."""
        line = wire.encode(message)
        with self._lock:
            self._stream.write(line)
            self._stream.flush()


def _serve(jobs: BinaryIO, voice: Voice) -> None:
    task = wire.decode(jobs.readline())
    assert isinstance(task, Task)
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", RuntimeFallback)
        try:
            judges = _Judges(task, voice)
        except GenderClassifierError as error:
            voice.tell(Failed(type(error).__name__, str(error)))
            return
    for remark in remarks:
        if issubclass(remark.category, RuntimeFallback):  # others are the libraries' affair
            voice.tell(Warned(str(remark.message)))
    voice.tell(judges.ready)
    for line in jobs:
        job = wire.decode(line)
        assert isinstance(job, Job)
        judges.take(job)


class _Judges:
    """Threads that judge, each with a classifier of its own, started when there is work."""

    def __init__(self, task: Task, voice: Voice) -> None:
        clock = stages.clock(task.profile)
        try:
            import cv2

            from image_gender_classifier import api
        except ImportError as error:
            raise RuntimeMissing(
                f"{error.name or 'a library'} cannot be loaded ({error}); {_CANNOT_LOAD}"
            ) from None
        # Pictures are spread over threads; OpenCV's own would only get in their way.
        cv2.setNumThreads(1)
        clock.lap("load the libraries")
        self._classifier = api.of_choices(task.choices)
        clock.lap("open the models")
        self.ready = Ready(self._classifier.settings, clock.taken())
        self._task = task
        self._voice = voice
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._threads = 0

    def take(self, job: Job) -> None:
        """Has a picture judged when a thread is free."""
        self._jobs.put(job)
        if self._threads < self._task.workers:
            threading.Thread(target=self._work, args=(self._threads,), daemon=True).start()
            self._threads += 1

    def _work(self, place: int) -> None:
        clock = stages.clock(self._task.profile)
        try:
            judge = self._classifier if place == 0 else self._classifier.twin()
            clock.lap("open the models")
            while True:
                job = self._jobs.get()
                clock.lap("wait for a picture")
                self._voice.tell(Begun(job.number))
                clock.lap("tell the command")
                self._voice.tell(self._judged(judge, job, clock))
                clock.lap("tell the command")
        except BrokenPipeError:
            os._exit(1)
        except GenderClassifierError as error:
            self._voice.tell(Failed(type(error).__name__, str(error)))
            os._exit(1)

    def _judged(self, judge: GenderClassifier, job: Job, clock: Clock) -> Judged:
        drawings = NO_DRAWINGS

        def show(picture: Picture, verdict: Verdict) -> None:
            from image_gender_classifier.drawing import COPY_SIDE, THUMBNAIL_SIDE, draw

            nonlocal drawings
            small = self._task.thumbnails and verdict.doubtful
            drawings = Drawings(
                draw(picture, verdict, COPY_SIDE) if self._task.copies else None,
                draw(picture, verdict, THUMBNAIL_SIDE) if small else None,
            )

        wanted = self._task.copies or self._task.thumbnails
        verdict = judge.judge_file(Path(job.path), job.file, show if wanted else None, clock)
        return Judged(job.number, verdict, drawings, clock.taken())


def _silence() -> None:
    """Keeps what libraries print out of the pipe."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)

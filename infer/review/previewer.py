"""Draws previews on request, for the threads of the server."""

from __future__ import annotations

import queue
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from image_gender_classifier.errors import GenderClassifierError, InternalError
from image_gender_classifier.results import Preview
from image_gender_classifier.review.previews import draw, make_task
from image_gender_classifier.system.unexpected import report_unexpected
from image_gender_classifier.workers.supervisor import Supervisor

_MAX_BATCH = 16


class _Request(NamedTuple):
    file: str
    side: int
    preview: Future[Preview]


class Previewer:
    """Draws previews in worker processes. A context manager that ends them.

    One thread drives the worker processes, because the supervisor is not thread-safe. They are new
    interpreters instead of forks, because a process with threads must not fork.

    Args:
        folder: The folder of pictures.
        workers: Number of worker processes.
        debug: Whether to print their tracebacks and standard error.
    """

    def __init__(self, folder: Path, workers: int, debug: bool = False) -> None:
        self._folder = folder
        self._task = make_task(workers, debug)
        self._supervisor: Supervisor | None = self._start_workers()
        self._ended = False
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = Thread(target=self._work, name="previews", daemon=True)
        self._thread.start()

    def __enter__(self) -> Previewer:
        return self

    def __exit__(self, error: type[BaseException] | None, *details: object) -> None:
        self._ended = True
        self._requests.put(None)
        self._thread.join(1.0)  # a hostile picture may keep it longer
        if self._supervisor is not None:
            self._supervisor.__exit__(error or KeyboardInterrupt, *details)

    def draw(self, file: str, side: int) -> Preview:
        """Draws a preview; blocks until it is done.

        Args:
            file: Path of the picture, relative to the folder.
            side: Maximum of the longest side, in pixels.

        Raises:
            GenderClassifierError: No worker process can be started, or OpenCV cannot be used; the
                next preview is tried with new processes.
        """
        request = _Request(file, side, Future())
        self._requests.put(request)
        return request.preview.result()

    def _start_workers(self) -> Supervisor:
        return Supervisor(self._task, fork=False)

    def _work(self) -> None:
        waiting = None
        while (first := waiting or self._requests.get()) is not None:
            batch, waiting = self._collect(first)
            fault: GenderClassifierError = InternalError("no preview")
            try:
                if not self._ended:
                    self._draw(batch)
            except GenderClassifierError as error:
                fault = error
                self._end_workers(error)
            except Exception as error:  # a bug must not leave requests without an answer
                fault = InternalError(report_unexpected(error, self._task.debug))
                self._end_workers(fault)
            for request in batch:
                if not request.preview.done():
                    request.preview.set_exception(fault)

    def _collect(self, first: _Request) -> tuple[list[_Request], _Request | None]:
        """Returns the waiting requests for one size, and one for another size, if that is next."""
        batch = [first]
        while len(batch) < _MAX_BATCH and not self._requests.empty():
            request = self._requests.get()
            if request is None:
                self._requests.put(None)  # ends the thread after this batch
                break
            if request.side != first.side:
                return batch, request
            batch.append(request)
        return batch, None

    def _draw(self, batch: list[_Request]) -> None:
        if self._supervisor is None:
            self._supervisor = self._start_workers()
        files = [request.file for request in batch]
        previews = draw(self._supervisor, self._folder, files, batch[0].side)
        for request, preview in zip(batch, previews, strict=True):
            request.preview.set_result(preview)

    def _end_workers(self, fault: Exception) -> None:
        """Ends the workers, so that the next batch gets new ones: the fault may be transient."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.__exit__(type(fault))

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
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._supervisor = Supervisor(make_task(workers), fork=False)
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = Thread(target=self._work, name="previews", daemon=True)
        self._thread.start()

    def __enter__(self) -> Previewer:
        return self

    def __exit__(self, error: type[BaseException] | None, *details: object) -> None:
        self._requests.put(None)
        self._thread.join(1.0)  # a hostile picture may keep it longer
        self._supervisor.__exit__(error or KeyboardInterrupt, *details)

    def draw(self, file: str, side: int) -> Preview:
        """Draws a preview; blocks until it is done.

        Args:
            file: Path of the picture, relative to the folder.
            side: Maximum of the longest side, in pixels.

        Raises:
            GenderClassifierError: No worker process can be started, or OpenCV cannot be used.
        """
        request = _Request(file, side, Future())
        self._requests.put(request)
        return request.preview.result()

    def _work(self) -> None:
        fault: GenderClassifierError | None = None
        waiting = None
        while (first := waiting or self._requests.get()) is not None:
            batch = [first]
            waiting = None
            while len(batch) < _MAX_BATCH and not self._requests.empty():
                request = self._requests.get()
                if request is None:
                    return
                if request.side != first.side:
                    waiting = request
                    break
                batch.append(request)
            try:
                if fault is None:
                    self._draw(batch)
            except GenderClassifierError as error:
                fault = error
            except Exception as error:  # a bug must not leave requests without an answer
                fault = InternalError(f"internal error ({error!r})")
            for request in batch:
                if not request.preview.done():
                    request.preview.set_exception(fault or InternalError("no preview"))

    def _draw(self, batch: list[_Request]) -> None:
        files = [request.file for request in batch]
        previews = draw(self._supervisor, self._folder, files, batch[0].side)
        for request, preview in zip(batch, previews, strict=True):
            request.preview.set_result(preview)

"""The worker pool: sends jobs to workers, receives their answers, replaces workers that end.

The first process loads the libraries and models and forks the workers (see `worker`). A worker that
crashes or exceeds its timeout ends by itself and is forked again. After an invalid message, or if
the processes stop responding, all of them are killed.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterable
from contextlib import suppress
from math import ceil
from typing import NamedTuple

from image_gender_classifier.workers.channel import Channel, encode
from image_gender_classifier.workers.exit_status import HUNG, SENT_INVALID, Ending, classify_exit
from image_gender_classifier.workers.messages import (
    Answer,
    Ended,
    Fork,
    ForkFailed,
    Job,
    Message,
    Ready,
    Started,
    Task,
    Unusable,
)
from image_gender_classifier.workers.process import FirstProcess

_MAX_PENDING_JOBS = 8  # per worker, so that it continues while the parent process is busy
_MAX_PENDING_BYTES = 4096  # writing to a pipe must not wait for the worker
_MOST_READS = 256  # of the pipe of an ended worker; Linux's largest pipe needs 16
_MAX_SILENCE = 1.5  # times the timeout of a picture, at which a hung worker usually ends itself


class Lost(NamedTuple):
    """A worker process has ended, or all of them have (`WorkerPool.ended`).

    Attributes:
        jobs: Its unanswered jobs, oldest first; any of them may be the cause.
        ending: How it ended.
        at_start: Whether a forked worker ended before it was ready for jobs.
    """

    jobs: list[Job]
    ending: Ending
    at_start: bool


class _Worker:
    """The state of a worker, as known to the parent process.

    Args:
        channel: The pipes to and from it, which an ended worker may have used before.

    Attributes:
        channel: The same pipes, without an incomplete message of an earlier worker.
        started: Whether it is ready for jobs.
        jobs: Its unanswered jobs, oldest first, each with the size of its message in bytes.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = Channel(channel.source, channel.sink)
        self.started = False
        self.jobs: dict[Job, int] = {}

    def has_room(self, most: int) -> bool:
        """Returns whether the worker may get another job, if its message is short enough.

        Args:
            most: Maximum number of its unanswered jobs.
        """
        return self.started and len(self.jobs) < min(most, _MAX_PENDING_JOBS)

    def has_room_for(self, size: int) -> bool:
        """Returns whether a message of `size` bytes is short enough for the worker's next job."""
        return not self.jobs or sum(self.jobs.values()) + size <= _MAX_PENDING_BYTES

    def handle(self, message: Message) -> None:
        """Updates the state after a message from the worker.

        Raises:
            ValueError: A worker in this state must not send the message.
        """
        job = next(iter(self.jobs), None)
        if isinstance(message, Started) and not self.started:
            self.started = True
        elif isinstance(message, Answer) and job is not None and message.is_answer_to(job):
            del self.jobs[job]
        elif not isinstance(message, Unusable):
            raise ValueError("unexpected message")


class WorkerPool:
    """The worker processes: the first process and the workers forked from it.

    Args:
        task: Settings and number of the workers.
        fork: See `FirstProcess`.

    Attributes:
        ended: Whether all processes have ended, so that a new pool is needed.

    Raises:
        RuntimeMissing: See `FirstProcess`.
    """

    def __init__(self, task: Task, fork: bool = True) -> None:
        self.ended = False
        self._first = FirstProcess(task, fork)
        self._control, *self._channels = self._first.channels
        self._workers: dict[int, _Worker] = {}  # forked or requested ones, by index
        self._expected: tuple[type[Message], ...] = (Ready, Unusable)  # from the first process
        self._events: list[Message | Lost] = []
        self._silent_since: float | None = None  # while workers are busy, in monotonic seconds
        self._poll = select.poll()
        for channel in self._first.channels:
            self._poll.register(channel.source, select.POLLIN)

    @property
    def size(self) -> int:
        """The number of workers that are running or being forked."""
        return len(self._workers)

    @property
    def starting(self) -> bool:
        """Whether a worker is not ready for jobs yet."""
        return any(not worker.started for worker in self._workers.values())

    @property
    def pending(self) -> list[Job]:
        """The unanswered jobs of all workers, sorted by number."""
        return sorted(job for worker in self._workers.values() for job in worker.jobs)

    def start(self, workers: int) -> None:
        """Starts the workers; call it after `Ready`. A single worker needs no fork."""
        if self.ended:
            return
        # A single worker is the first process: it decodes files, so its messages are untrusted.
        self._expected = (Ended, ForkFailed) if workers > 1 else ()
        self._workers = {place: _Worker(self._channels[place]) for place in range(workers)}
        self._send(self._control, encode(Fork(tuple(self._workers) if workers > 1 else ())))

    def submit(self, job: Job, most: int = _MAX_PENDING_JOBS) -> bool:
        """Sends a job to the worker with the fewest jobs; returns False if no worker has room.

        Args:
            job: The job.
            most: Maximum number of unanswered jobs of a worker; at most the usual one applies.
        """
        workers = [worker for worker in self._workers.values() if worker.has_room(most)]
        if not workers:
            return False
        data = encode(job)
        free = [worker for worker in workers if worker.has_room_for(len(data))]
        if not free:
            return False
        worker = min(free, key=lambda worker: len(worker.jobs))
        worker.jobs[job] = len(data)
        self._send(worker.channel, data)
        return True

    def listen(self, timeout: float) -> list[Message | Lost]:
        """Waits for messages of the worker processes.

        Kills all of them after an invalid message, or if no message is completed for 1.5 times the
        timeout while a worker is starting or has jobs.

        Args:
            timeout: Seconds that a picture may take: the longest timeout of all pending jobs.

        Returns:
            The messages except `Ended`, and the lost workers, in order; may be empty. If all
            processes have ended (`ended`), the last one is a `Lost` with the jobs of all workers.
        """
        rest = self._time_left(timeout)
        readable = self._poll.poll(None if rest is None else ceil(1000 * rest))
        try:
            ending = self._receive({file for file, _ in readable})
        except (ValueError, OverflowError):  # no message is read after an invalid one
            ending = SENT_INVALID
        if self._events:
            self._silent_since = None
        elif not ending and self._time_left(timeout) == 0:
            ending = HUNG
        if ending:
            self._events.append(Lost(self.pending, ending, self.starting))
            self.end()
        events, self._events = self._events, []
        return events

    def _time_left(self, timeout: float) -> float | None:
        """Returns the seconds in which a message must be completed; None if no worker is busy.

        Starts the clock if it is not running; stops it if no worker is busy.
        """
        if not any(worker.jobs or not worker.started for worker in self._workers.values()):
            self._silent_since = None
            return None
        now = time.monotonic()
        if self._silent_since is None:
            self._silent_since = now
        return max(self._silent_since + _MAX_SILENCE * timeout - now, 0)

    def end(self, seconds: float = 0.0) -> None:
        """Ends all processes. May be called again.

        Args:
            seconds: Time in which they may end by themselves before they are killed.
        """
        self.ended = True
        self._workers = {}
        self._first.end(seconds)

    def _receive(self, readable: Iterable[int]) -> Ending | None:
        """Receives messages from the pipes that are readable.

        Returns:
            How the first process ended; None if it is running.

        Raises:
            ValueError: A message is invalid.
        """
        for worker in self._workers.values():
            source = worker.channel.source
            if source in readable and not self._receive_from(worker):
                self._poll.unregister(source)  # closed: else `poll` would not wait any more
        if self._control.source not in readable:
            return None
        messages = self._control.receive()
        if messages is None:
            for worker in self._workers.values():
                self._receive_rest(worker)
            return classify_exit(self._first.end())
        for message in messages:
            if not isinstance(message, self._expected):
                raise ValueError("unexpected message")
            if isinstance(message, Ended):
                if message.worker not in self._workers:
                    raise ValueError("unknown worker")
                self._replace(message)
                continue
            if isinstance(message, ForkFailed):
                for place in message.workers:
                    self._workers.pop(place, None)
            self._events.append(message)
        return None

    def _receive_rest(self, worker: _Worker) -> None:
        """Receives what a worker has sent before it ended."""
        for _ in range(_MOST_READS):
            if not self._receive_from(worker):
                break

    def _receive_from(self, worker: _Worker) -> bool:
        """Receives messages of a worker.

        Returns:
            False if the pipe is empty or closed.
        """
        messages = worker.channel.receive()
        for message in messages or ():
            worker.handle(message)
            self._events.append(message)
        return messages is not None

    def _replace(self, ended: Ended) -> None:
        """Reports the loss of a worker that has ended, and requests a new one in its place."""
        worker = self._workers[ended.worker]
        self._receive_rest(worker)
        self._workers[ended.worker] = _Worker(worker.channel)
        self._events.append(Lost([*worker.jobs], classify_exit(ended.status), not worker.started))
        self._send(self._control, encode(Fork((ended.worker,))))

    def _send(self, channel: Channel, data: bytes) -> None:
        with suppress(BrokenPipeError):  # the processes have ended: `listen` reports it
            channel.send(data)

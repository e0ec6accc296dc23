"""The worker pool: takes jobs and returns messages and lost workers.

The first process loads the libraries and models and forks the workers (see `worker`). A worker that
crashes, hangs or sends an invalid message is killed and replaced; the others continue.
"""

from __future__ import annotations

import select
import time
from math import ceil
from typing import NamedTuple

from image_gender_classifier.workers.channel import encode
from image_gender_classifier.workers.connection import WorkerConnection
from image_gender_classifier.workers.messages import (
    Ended,
    Fork,
    ForkFailed,
    Job,
    Message,
    Ready,
    Task,
    Unusable,
)
from image_gender_classifier.workers.process import (
    FirstProcess,
    describe_exit,
    is_internal_error,
    was_killed,
)


class Lost(NamedTuple):
    """A worker process has ended, or all of them have.

    Attributes:
        numbers: Numbers of its unanswered pictures, in order.
        why: How it ended, as the end of a sentence about it; empty if it was never forked.
        at_work: Whether it had started to classify pictures.
        hung: Whether it was killed because a picture took too long.
        killed: Whether something else killed it, such as the system for lack of memory.
        internal: Whether an exception that is not about a picture ended it.
    """

    numbers: list[int]
    why: str = ""
    at_work: bool = False
    hung: bool = False
    killed: bool = False
    internal: bool = False


def _make_lost(
    numbers: list[int], status: int, at_work: bool, hung: bool, sent_invalid: bool
) -> Lost:
    killed = was_killed(status) and not sent_invalid
    why, internal = describe_exit(status), is_internal_error(status)
    return Lost(numbers, why, at_work, hung, killed, internal)


class WorkerPool:
    """The worker processes.

    Args:
        task: Settings and number of the workers.
        fork: See `FirstProcess`.

    Attributes:
        ended: Whether all processes have ended, so that a new pool is needed.
    """

    def __init__(self, task: Task, fork: bool = True) -> None:
        self.ended = False
        self._first = FirstProcess(task, fork)
        self._control, *channels = self._first.channels
        self._possible_workers = [WorkerConnection(channel) for channel in channels]
        self._workers: list[WorkerConnection] = []
        self._poll = select.poll()
        for channel in self._first.channels:
            self._poll.register(channel.source, select.POLLIN)

    @property
    def size(self) -> int:
        """The number of workers that may get jobs."""
        return sum(worker.available for worker in self._workers)

    @property
    def pending_numbers(self) -> list[int]:
        """The numbers of the unanswered pictures of all workers, sorted."""
        return sorted(number for worker in self._workers for number in worker.pending_numbers)

    def start(self, workers: int) -> None:
        """Forks the workers, once `Ready` has arrived; a single worker needs no fork."""
        self._workers = self._possible_workers[:workers]
        self._control.send(encode(Fork(tuple(range(workers)) if workers > 1 else ())))

    def submit(self, job: Job) -> bool:
        """Sends a job to the worker with the fewest jobs; returns False if no worker has room."""
        data = encode(job)
        free = [worker for worker in self._workers if worker.has_room_for(len(data))]
        if free and not self.ended:
            min(free, key=lambda worker: len(worker.jobs)).send_job(job, data)
        return bool(free) and not self.ended

    def listen(self, timeout: float) -> list[Message | Lost]:
        """Waits for messages; kills workers that hang or sent an invalid message.

        Args:
            timeout: Seconds that a picture may take.

        Returns:
            The messages and the lost workers since the last call; may be empty.
        """
        readable = {file for file, _ in self._poll.poll(self._poll_timeout(timeout))}
        events: list[Message | Lost] = []
        for worker in self._workers:
            if worker.channel.source in readable:
                events += worker.receive_valid() or ()
        if self._control.source in readable:
            events += self._handle_control_messages()
        overdue = time.monotonic() - timeout
        for worker in () if self.ended else self._workers:
            worker.hung |= bool(worker.jobs) and worker.since <= overdue
            if worker.hung or worker.sent_invalid:
                if worker.process is None:  # its process id is unknown
                    return events + self._end_all()
                self._first.kill(worker.process)
        return events

    def end(self, seconds: float = 0.0) -> int:
        """Ends all processes.

        Args:
            seconds: Time in which they may end by themselves before they are killed.

        Returns:
            The status of the first process, as from `os.wait`.
        """
        self.ended = True
        return self._first.end(seconds)

    def _handle_control_messages(self) -> list[Message | Lost]:
        """Handles the messages of the first process; returns the events for the supervisor."""
        events: list[Message | Lost] = []
        try:
            arrived = self._control.receive()
            if arrived is None:  # the end of the pipe
                return self._end_all()
            for message in arrived:
                if isinstance(message, ForkFailed):
                    for worker in [self._workers[place] for place in message.workers]:
                        worker.available = False
                        events.append(Lost(worker.pending_numbers))
                        worker.reset()
                if isinstance(message, Ended):
                    events += self._replace(message.worker, message.status)
                elif isinstance(message, (Ready, Unusable, ForkFailed)):
                    events.append(message)
                else:
                    raise ValueError
        except (ValueError, IndexError, OverflowError):  # an invalid message
            events += self._end_all(sent_invalid=True)
        return events

    def _replace(self, place: int, status: int) -> list[Message | Lost]:
        """Reads the last messages of an ended worker and requests another one in its place."""
        worker = self._workers[place]
        events: list[Message | Lost] = []
        while (valid := worker.receive_valid()) is not None:
            events += valid
        at_work = worker.process is not None
        lost = worker.pending_numbers, status, at_work, worker.hung, worker.sent_invalid
        events.append(_make_lost(*lost))
        worker.reset()
        worker.available = False
        self._control.send(encode(Fork((place,))))
        return events

    def _end_all(self, sent_invalid: bool = False) -> list[Message | Lost]:
        """Ends the pool after the first process failed; returns the last messages and the loss."""
        events: list[Message | Lost] = []
        for worker in self._workers:
            while valid := worker.receive_valid():
                events += valid
        hung = any(worker.hung for worker in self._workers)
        at_work = any(worker.process and worker.jobs for worker in self._workers)
        sent_invalid |= any(worker.sent_invalid for worker in self._workers)
        numbers, status = self.pending_numbers, self.end()
        events.append(_make_lost(numbers, status, at_work, hung, sent_invalid))
        return events

    def _poll_timeout(self, timeout: float) -> int | None:
        """Returns the milliseconds until a picture exceeds `timeout` seconds; None without jobs."""
        since = [worker.since for worker in self._workers if worker.jobs and not worker.hung]
        return max(ceil(1000 * (min(since) + timeout - time.monotonic())), 0) if since else None

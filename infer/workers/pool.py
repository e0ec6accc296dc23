"""The worker pool, as the command sees it: jobs in, messages and lost workers out.

The first process loads everything and forks the workers (see `worker`). A worker that crashes,
hangs or sends nonsense is killed and replaced; the others work on.
"""

from __future__ import annotations

import select
import time
from collections import deque
from math import ceil
from typing import NamedTuple

from image_gender_classifier.workers.channel import Channel, encode
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
from image_gender_classifier.workers.process import FirstProcess, how_it_ended, was_killed

_AHEAD = 8  # pictures sent ahead to each worker, so that it goes on while the command is busy
_FILLED = 4096  # bytes sent ahead, so that writing to a pipe never waits for the worker


class Lost(NamedTuple):
    """A worker has ended, or all of them have.

    Attributes:
        numbers: The pictures that it had not answered for.
        why: How it ended, as the end of a sentence about it; empty if it was never forked.
        at_work: Whether it had begun to classify pictures.
        hung: Whether it was killed because a picture took too long.
        killed: Whether something else killed it, such as the system for lack of memory.
    """

    numbers: list[int]
    why: str = ""
    at_work: bool = False
    hung: bool = False
    killed: bool = False


class _Worker:
    """A worker: its channel, its process and the jobs that it has not answered for.

    Attributes:
        available: Whether it may get jobs; not while its process is being replaced.
        process: Its number, once it has started.
        distrusted: Whether it has sent nonsense.
        hung: Whether it was killed because a picture took too long.
        jobs: Each with its bytes on the pipe.
        since: When it last sent something, or got a job after it had none.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.available = True
        self.since = 0.0
        self.jobs: deque[tuple[Job, int]] = deque()
        self.forget()

    def forget(self) -> None:
        """Forgets an ended process."""
        self.process: int | None = None
        self.distrusted = self.hung = False
        self.jobs.clear()
        self.channel.forget()

    @property
    def numbers(self) -> list[int]:
        """The numbers of the pictures that it has not answered for."""
        return [job.number for job, _ in self.jobs]

    def has_room_for(self, size: int) -> bool:
        """Tells whether it may get a further job."""
        room = not self.jobs or sum(each for _, each in self.jobs) + size <= _FILLED
        return self.available and room and len(self.jobs) < _AHEAD

    def give(self, job: Job, data: bytes) -> None:
        """Sends it a job."""
        if not self.jobs:
            self.since = time.monotonic()
        self.jobs.append((job, len(data)))
        self.channel.send(data)

    def received(self) -> list[Message] | None:
        """Returns the valid messages that have arrived; None if nothing has.

        What it sends after an invalid message is ignored.
        """
        valid: list[Message] = []
        try:
            arrived = self.channel.receive()
            if arrived is None:
                return None
            for message in arrived:
                self._check(message)
                valid.append(message)
            self.since = time.monotonic()
        except ValueError:
            self.distrusted = True
        return valid

    def _check(self, message: Message) -> None:
        """Accepts what a worker may say now."""
        if isinstance(message, Started) and self.process is None:
            self.process = message.process
            self.available = True
        elif isinstance(message, Answer) and self.jobs and not self.distrusted:
            job, _ = self.jobs[0]
            file = job.file if message.prediction is None else message.prediction.file
            both = (message.prediction is None) == (message.error is None)
            if both or (message.number, file) != (job.number, job.file):
                raise ValueError
            self.jobs.popleft()
        elif not isinstance(message, Unusable) or self.distrusted:
            raise ValueError


class WorkerPool:
    """The worker processes.

    Args:
        task: Settings and number of the workers.
        fork: See `FirstProcess`.

    Attributes:
        ended: Whether all processes have ended, and a new pool is needed.
    """

    def __init__(self, task: Task, fork: bool = True) -> None:
        self.ended = False
        self._first = FirstProcess(task, fork)
        self._control, *channels = self._first.channels
        self._candidates = [_Worker(channel) for channel in channels]
        self._workers: list[_Worker] = []
        self._poll = select.poll()
        for channel in self._first.channels:
            self._poll.register(channel.source, select.POLLIN)

    @property
    def size(self) -> int:
        """The number of workers."""
        return sum(worker.available for worker in self._workers)

    @property
    def on_hand(self) -> list[int]:
        """The numbers of the pictures that were given and not answered for, in order."""
        return sorted(number for worker in self._workers for number in worker.numbers)

    def start(self, workers: int) -> None:
        """Has the workers forked, after `Ready`; a single one needs no fork."""
        self._workers = self._candidates[:workers]
        self._control.send(encode(Fork(tuple(range(workers)) if workers > 1 else ())))

    def give(self, job: Job) -> bool:
        """Gives a job to the worker that has the least to do; tells whether one had room."""
        data = encode(job)
        free = [worker for worker in self._workers if worker.has_room_for(len(data))]
        if free and not self.ended:
            min(free, key=lambda worker: len(worker.jobs)).give(job, data)
        return bool(free) and not self.ended

    def listen(self, longest: float) -> list[Message | Lost]:
        """Waits for the processes; kills workers that hang or send nonsense.

        Args:
            longest: Seconds that a picture may take.
        """
        talking = {file for file, _ in self._poll.poll(self._patience(longest))}
        events: list[Message | Lost] = []
        for worker in self._workers:
            if worker.channel.source in talking:
                events += worker.received() or ()
        if self._control.source in talking:
            events += self._controlled()
        overdue = time.monotonic() - longest
        for worker in () if self.ended else self._workers:
            worker.hung |= bool(worker.jobs) and worker.since <= overdue
            if worker.hung or worker.distrusted:
                if worker.process is None:  # it is not known which process it is
                    return events + self._all_lost()
                self._first.kill(worker.process)
        return events

    def end(self, seconds: float = 0.0) -> int:
        """Ends all processes; returns the exit status of the first one.

        Args:
            seconds: How long they may take to end by themselves before they are killed.
        """
        self.ended = True
        return self._first.end(seconds)

    def _controlled(self) -> list[Message | Lost]:
        """Acts on the first process's messages."""
        events: list[Message | Lost] = []
        try:
            arrived = self._control.receive()
            if arrived is None:  # the end of the pipe
                return self._all_lost()
            for message in arrived:
                if isinstance(message, ForkFailed):
                    for worker in [self._workers[place] for place in message.workers]:
                        worker.available = False
                        events.append(Lost(worker.numbers))
                        worker.forget()
                if isinstance(message, Ended):
                    events += self._replaced(self._workers[message.worker], message)
                elif isinstance(message, (Ready, Unusable, ForkFailed)):
                    events.append(message)
                else:
                    raise ValueError
        except (ValueError, IndexError):
            events += self._all_lost(nonsense=True)
        return events

    def _replaced(self, worker: _Worker, ended: Ended) -> list[Message | Lost]:
        """Has an ended worker replaced, after reading what it sent."""
        events: list[Message | Lost] = []
        while (valid := worker.received()) is not None:
            events += valid
        at_work = worker.process is not None
        killed = was_killed(ended.status) and not worker.distrusted
        why = how_it_ended(ended.status)
        events.append(Lost(worker.numbers, why, at_work, worker.hung, killed))
        worker.forget()
        worker.available = False
        self._control.send(encode(Fork((ended.worker,))))
        return events

    def _all_lost(self, nonsense: bool = False) -> list[Message | Lost]:
        """Ends the pool after its first process has ended or sent nonsense."""
        events: list[Message | Lost] = []
        for worker in self._workers:
            while valid := worker.received():
                events += valid
        hung = any(worker.hung for worker in self._workers)
        at_work = any(worker.process and worker.jobs for worker in self._workers)
        nonsense |= any(worker.distrusted for worker in self._workers)
        on_hand, status = self.on_hand, self.end()
        killed = was_killed(status) and not nonsense
        events.append(Lost(on_hand, how_it_ended(status), at_work, hung, killed))
        return events

    def _patience(self, longest: float) -> int | None:
        """Milliseconds until a worker has been at a picture for too long."""
        since = [worker.since for worker in self._workers if worker.jobs and not worker.hung]
        return max(ceil(1000 * (min(since) + longest - time.monotonic())), 0) if since else None

"""One worker as the command sees it: its channel, its state and its unanswered jobs."""

from __future__ import annotations

import time
from collections import deque

from image_gender_classifier.workers.channel import Channel
from image_gender_classifier.workers.messages import Answer, Job, Message, Started, Unusable

_MAX_PENDING_JOBS = 8  # of each worker, so that it continues while the command is busy
_MAX_PENDING_BYTES = 4096  # writing to a pipe must not wait for the worker


class WorkerConnection:
    """A worker as the command sees it.

    Args:
        channel: The pipes to and from its process.

    Attributes:
        available: Whether it may get jobs; False while its process is being replaced.
        process: Its process id, once it has started.
        sent_invalid: Whether it has sent an invalid message.
        hung: Whether it was killed because a picture took too long.
        jobs: Its unanswered jobs, each with its size in bytes on the pipe.
        since: When it last sent something, or got a job after it had none (monotonic seconds).
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.available = True
        self.since = 0.0
        self.jobs: deque[tuple[Job, int]] = deque()
        self.reset()

    def reset(self) -> None:
        """Clears the state of an ended process."""
        self.process: int | None = None
        self.sent_invalid = self.hung = False
        self.jobs.clear()
        self.channel.drop_partial_message()

    @property
    def pending_numbers(self) -> list[int]:
        """Numbers of the unanswered pictures, in order."""
        return [job.number for job, _ in self.jobs]

    def has_room_for(self, size: int) -> bool:
        """Returns whether the worker may get another job of `size` bytes."""
        room = not self.jobs or sum(each for _, each in self.jobs) + size <= _MAX_PENDING_BYTES
        return self.available and room and len(self.jobs) < _MAX_PENDING_JOBS

    def send_job(self, job: Job, data: bytes) -> None:
        """Sends a job to the worker; `data` is the encoded job."""
        if not self.jobs:
            self.since = time.monotonic()
        self.jobs.append((job, len(data)))
        self.channel.send(data)

    def receive_valid(self) -> list[Message] | None:
        """Returns the valid messages that have arrived; None if nothing has arrived.

        Everything after an invalid message is ignored.
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
            self.sent_invalid = True
        return valid

    def _check(self, message: Message) -> None:
        """Updates the state by a message.

        Raises:
            ValueError: The worker may not send this message in its state.
        """
        if isinstance(message, Started) and self.process is None:
            self.process = message.process
            self.available = True
        elif isinstance(message, Answer) and self.jobs and not self.sent_invalid:
            job, _ = self.jobs[0]
            file = job.file if message.prediction is None else message.prediction.file
            both = (message.prediction is None) == (message.error is None)
            if both or (message.number, file) != (job.number, job.file):
                raise ValueError
            self.jobs.popleft()
        elif not isinstance(message, Unusable) or self.sent_invalid:
            raise ValueError

"""The processes that judge, as the command sees them: started, given jobs, listened to, ended.

The command forks the first of them, which loads everything and forks the others when there is work
for them (see `worker`). They end together: that makes what became of a picture simple to tell, and
starting again takes a fraction of a second.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import ceil

from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.workers import messages, worker
from image_gender_classifier.workers.messages import (
    Classified,
    Failed,
    Fork,
    Job,
    Lines,
    Message,
    Ready,
    Task,
)
from image_gender_classifier.workers.worker import Pipes

_AHEAD = 8  # pictures on the way for each process, so that it goes on while the command is busy
_FILLED = 4096  # bytes on the way, so that writing to a pipe never waits for its reader
_PIECE = 2**18  # bytes
_SHUTDOWN_TIMEOUT = 1.0  # seconds that the processes may take to end
_LOOK = 0.002  # seconds between looks whether they have


class _Worker:
    """One of the processes.

    Attributes:
        answers: The pipe from it.
        on_hand: The pictures that it has not answered for: their numbers, in their order, and
            their jobs' lengths.
        since: When it was last heard of, or given something after it had nothing.
    """

    def __init__(self, jobs: int, answers: int) -> None:
        self._jobs = os.fdopen(jobs, "wb", buffering=0)
        self.answers = os.fdopen(answers, "rb", buffering=0)
        self.on_hand: deque[tuple[int, int]] = deque()
        self.since = 0.0
        self._lines = Lines()

    def has_room_for(self, line: bytes) -> bool:
        """Tells whether its pipe has room for a further job."""
        return not self.on_hand or sum(size for _, size in self.on_hand) + len(line) <= _FILLED

    def give(self, number: int, line: bytes) -> None:
        """Gives it a job."""
        if not self.on_hand:
            self.since = time.monotonic()
        self.on_hand.append((number, len(line)))
        self.send(line)

    def send(self, line: bytes) -> None:
        """Sends it a message; if it has ended, that is noticed when it is listened to."""
        rest = memoryview(line)
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._jobs.fileno(), rest) :]

    def heard(self) -> list[Message] | None:
        """What it says; None if it has ended, or says what makes no sense."""
        try:
            piece = os.read(self.answers.fileno(), _PIECE)
            messages = self._lines.take(piece)
        except (OSError, ValueError):  # ValueError: half a line and something else
            return None
        if not piece:
            return None
        self.since = time.monotonic()
        for message in messages:
            if isinstance(message, (Classified, Failed)):
                if not self.on_hand or self.on_hand[0][0] != message.number:
                    return None  # nothing that it says can be trusted any more
                self.on_hand.popleft()
        return messages

    def dismiss(self) -> None:
        """Closes the pipe to it: there is nothing more for it to do."""
        self._jobs.close()

    def close(self) -> None:
        """Closes both pipes; those that are closed stay so."""
        self._jobs.close()
        self.answers.close()


class WorkerPool:
    """The processes that judge.

    Args:
        task: What they are to do, and how many of them there may be.

    Attributes:
        ready: Whether they have begun to judge.

    Raises:
        RuntimeMissing: The system refuses a process, or the pipes to so many.
    """

    def __init__(self, task: Task) -> None:
        self.ready = False
        ours: list[int] = []
        theirs: list[int] = []
        try:
            for _ in range(task.workers):
                jobs, to_jobs = os.pipe()
                theirs.append(jobs)
                ours.append(to_jobs)
                from_answers, answers = os.pipe()
                theirs.append(answers)
                ours.append(from_answers)
            self._process = _fork_first(_pairs(theirs))
        except OSError as error:
            for pipe in ours:
                os.close(pipe)
            raise RuntimeMissing(
                f"no process can be started for {task.workers} --workers ({error.strerror}); "
                "choose fewer, or let this user have more open files and processes (ulimit)"
            ) from None
        finally:
            for pipe in theirs:
                os.close(pipe)
        self._members = [_Worker(*pipes) for pipes in _pairs(ours)]
        self._poll = select.poll()
        self._ended = False
        self._status: int | None = None
        self._forked = 0
        self._count_in()
        self._members[0].send(messages.encode(task))

    @property
    def on_hand(self) -> list[int]:
        """The numbers of the pictures that are being judged, or about to be."""
        return sorted(number for member in self._working for number, _ in member.on_hand)

    @property
    def _working(self) -> list[_Worker]:
        return self._members[: self._forked]

    def fork_for(self, pictures: int) -> None:
        """Puts further processes to work, if there may be more, before that many are given."""
        if not self.ready or self._forked == len(self._members):
            return
        wanted = min(pictures + len(self.on_hand), len(self._members))
        while self._forked < wanted:
            self._members[0].send(messages.encode(Fork()))
            self._count_in()

    def give(self, job: Job) -> bool:
        """Gives a job to the process that has the least to do; tells whether one had room."""
        member = min(self._working, key=lambda member: len(member.on_hand))
        if self._ended or not self.ready or len(member.on_hand) >= _AHEAD:
            return False
        line = messages.encode(job)
        if not member.has_room_for(line):
            return False
        member.give(job.number, line)
        return True

    def listen(self, longest: float) -> list[Message]:
        """Waits until something is said, and gives all of it; may give nothing before an end.

        Args:
            longest: Seconds that a picture may take.

        Raises:
            EOFError: One of the processes has ended, and all that was said before has been given.
            TimeoutError: One of them has been at a picture for longer.
        """
        talking = {pipe for pipe, _ in self._poll.poll(self._patience(longest))}
        if not talking:
            raise EOFError if self._ended else TimeoutError
        said: list[Message] = []
        for member in self._working:
            if member.answers.fileno() in talking:
                messages = member.heard()
                if messages is None:
                    self._poll.unregister(member.answers)
                    self._ended = True
                else:
                    said += messages
        self.ready = self.ready or any(isinstance(message, Ready) for message in said)
        return said

    def _patience(self, longest: float) -> int | None:
        """Milliseconds until one of the processes has been at a picture for too long."""
        if self._ended:  # the others may have said something, but nobody waits for it
            return 0
        begun = [member.since for member in self._working if member.on_hand]
        return max(ceil(1000 * (min(begun) + longest - time.monotonic())), 0) if begun else None

    def finish(self) -> None:
        """Lets the processes end, which have nothing left to do."""
        for member in self._members:
            member.dismiss()
        self.end_in(_SHUTDOWN_TIMEOUT)

    def end_in(self, seconds: float) -> str:
        """Ends the processes that do not end by themselves meanwhile; tells what `end` does."""
        deadline = time.monotonic() + seconds
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(_LOOK)
        return self.end()

    def end(self) -> str:
        """Ends the processes; tells how the first one ended: killed here, unless it had before."""
        if self._status is None:  # else its number may be another's by now
            try:
                os.killpg(self._process, signal.SIGKILL)
            except OSError:  # it has not come to have a group of its own yet
                os.kill(self._process, signal.SIGKILL)
            _, self._status = os.waitpid(self._process, 0)
            _wait_for_orphans(self._process)
        for member in self._members:
            member.close()
        code = os.waitstatus_to_exitcode(self._status)
        if code >= 0:
            return f"ended with exit code {code}"
        if -code == signal.SIGKILL:
            return "was killed (is there too little memory?)"
        return f"crashed ({signal.Signals(-code).name})"

    def _has_ended(self) -> bool:
        if self._status is None:
            process, status = os.waitpid(self._process, os.WNOHANG)
            self._status = status if process else None
        return self._status is not None

    def _count_in(self) -> None:
        """Listens to a further process, of those that there may be, and gives it jobs."""
        self._poll.register(self._members[self._forked].answers, select.POLLIN)
        self._forked += 1


def _pairs(pipes: Sequence[int]) -> list[Pipes]:
    return list(zip(pipes[::2], pipes[1::2], strict=True))


def _fork_first(pipes: Sequence[Pipes]) -> int:
    """Forks the first process, which gets its own pipes and those of the others; gives its number.

    Python starts only once, and what both import is imported once. The command has no threads and
    none of the libraries, which might not bear it.
    """
    command = os.getpid()
    try:
        process = os.fork()
        if process == 0:
            worker.main(pipes)
        return process
    finally:
        if os.getpid() != command:  # whatever was raised, a signal's exception too
            os._exit(1)


def _wait_for_orphans(leader: int) -> None:
    """Takes leave of the processes that an ended one had forked.

    They become this process's where it is the system's first one, as in a container.
    """
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-leader, 0)

"""The processes that judge, as the command sees them: started, given jobs, listened to, ended.

The first of them is started anew and loads everything; it forks the others when there is work for
them (see `worker`). They end together: that makes what became of a picture simple to tell, and
starting again takes a fraction of a second.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from math import ceil

from image_gender_classifier import wire
from image_gender_classifier.wire import Hire, Job, Judged, Lines, Message, Ready, Task

_AHEAD = 8  # pictures on the way for each process, so that it goes on while the command is busy
_FILLED = 4096  # bytes on the way, so that writing to a pipe never waits for its reader
_PIECE = 2**18  # bytes
_FAREWELL = 1.0  # seconds that the processes may take to end
_START = (
    "import sys; sys.path[:] = {path!r}; "
    "from image_gender_classifier import worker; worker.main({others!r})"
)
# Memory that a picture of usual size took is kept for the next one (in glibc): to have it from the
# system anew takes as long as finding a face. NumPy's threads have nothing to do here.
_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(2**23),
    "MALLOC_TRIM_THRESHOLD_": str(2**24),
    "OPENBLAS_NUM_THREADS": "1",
}


class _Member:
    """One of the processes.

    Attributes:
        answers: The pipe from it.
        on_hand: The pictures that it has not answered for, with their numbers, in their order.
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
            if isinstance(message, Judged):
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


class Team:
    """The processes that judge.

    Args:
        task: What they are to do, and how many of them there may be.

    Attributes:
        ready: Whether they have begun to judge.
    """

    def __init__(self, task: Task) -> None:
        self.ready = False
        theirs: list[tuple[int, int]] = []
        self._members: list[_Member] = []
        for _ in range(task.workers):
            (jobs, to_jobs), (from_answers, answers) = os.pipe(), os.pipe()
            theirs.append((jobs, answers))
            self._members.append(_Member(to_jobs, from_answers))
        (jobs, answers), *others = theirs
        self._process = subprocess.Popen(
            # Neither its folder nor the present one may add to where modules come from.
            [sys.executable, "-c", _START.format(path=sys.path, others=others)],
            stdin=jobs,
            stdout=answers,
            stderr=subprocess.DEVNULL,  # libraries remark on damaged files; the verdicts say it
            pass_fds=[pipe for pipes in others for pipe in pipes],
            env=_ENVIRONMENT | os.environ,
            start_new_session=True,  # Ctrl-C in the terminal is the command's affair
        )
        for pipes in theirs:
            for pipe in pipes:
                os.close(pipe)
        self._poll = select.poll()
        self._ended = False
        self._hired = 0
        self._hire()
        self._members[0].send(wire.encode(task))

    @property
    def on_hand(self) -> list[int]:
        """The numbers of the pictures that are being judged, or about to be."""
        return sorted(number for member in self._working for number, _ in member.on_hand)

    @property
    def _working(self) -> list[_Member]:
        return self._members[: self._hired]

    def give(self, job: Job) -> bool:
        """Gives a job to the process that has the least to do; tells whether one had room."""
        member = min(self._working, key=lambda member: len(member.on_hand))
        if self._ended or len(member.on_hand) >= _AHEAD:
            return False
        if member.on_hand and self._hired < len(self._members):
            self._members[0].send(wire.encode(Hire()))
            member = self._hire()
        line = wire.encode(job)
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
        if not self.ready and any(isinstance(message, Ready) for message in said):
            self.ready = True
            for member in self._working:
                member.since = time.monotonic()
        return said

    def _patience(self, longest: float) -> int | None:
        """Milliseconds until one of the processes has been at a picture for too long."""
        if self._ended:  # the others may have said something, but nobody waits for it
            return 0
        begun = [member.since for member in self._working if member.on_hand]
        if not (self.ready and begun):
            return None
        return max(ceil(1000 * (min(begun) + longest - time.monotonic())), 0)

    def finish(self) -> None:
        """Lets the processes end, which have nothing left to do."""
        for member in self._members:
            member.dismiss()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_FAREWELL)
        self.end()

    def end(self) -> str:
        """Ends the processes; tells how the first one ended, had it done so itself."""
        if self._process.returncode is None:  # else its number may be another's by now
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        for member in self._members:
            member.close()
        if code >= 0:
            return f"ended with exit code {code}"
        if -code == signal.SIGKILL:
            return "was killed (is there too little memory?)"
        return f"crashed ({signal.Signals(-code).name})"

    def _hire(self) -> _Member:
        """Has a further process work, of those that there may be."""
        member = self._members[self._hired]
        self._hired += 1
        self._poll.register(member.answers, select.POLLIN)
        return member

"""The worker pool, as the command sees it: jobs in, messages and lost workers out.

The first process loads everything and forks the workers (see `worker`). A worker that crashes,
hangs or sends nonsense is killed and replaced; the others work on.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from typing import NamedTuple

from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.workers import messages, worker
from image_gender_classifier.workers.messages import (
    Classified,
    Ended,
    Failed,
    Forked,
    ForkFailed,
    Frames,
    Job,
    Message,
    Ready,
    Replace,
    Started,
    Task,
    Unusable,
    Warned,
)

_AHEAD = 8  # pictures sent ahead to each worker, so that it goes on while the command is busy
_FILLED = 4096  # bytes sent ahead, so that writing to a pipe never waits for the worker
_PIECE = 2**18  # bytes
_SHUTDOWN_TIMEOUT = 1.0  # seconds
_POLL_INTERVAL = 0.002  # seconds, during the shutdown

# A fresh interpreter finds modules where this one does, and not in the current folder.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; from image_gender_classifier.workers.worker "
    "import main; main([int(end) for end in sys.argv[1].split(',')])"
)


class Lost(NamedTuple):
    """A worker has ended, or all of them have.

    Attributes:
        numbers: The pictures that it had not answered for.
        why: How it ended, as the end of a sentence about it; empty if it never started to work.
        at_work: Whether it had begun to classify pictures.
        hung: Whether it was killed because a picture took too long.
    """

    numbers: list[int]
    why: str
    at_work: bool
    hung: bool


class _Pipes:
    """The command's two ends of the pipes to a process."""

    def __init__(self, ends: Sequence[int]) -> None:
        self.output, self.input = ends
        self._frames = Frames()
        os.set_blocking(self.input, False)

    def send(self, data: bytes) -> None:
        """Sends bytes; an ended process is noticed elsewhere."""
        rest = memoryview(data)
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self.output, rest) :]

    def receive(self) -> list[Message] | None:
        """Returns the messages that have arrived; None at the end of the pipe.

        Raises:
            ValueError: Something else has arrived.
        """
        try:
            piece = os.read(self.input, _PIECE)
        except BlockingIOError:
            return []
        return self._frames.take(piece) if piece else None

    def reset(self) -> None:
        """Forgets half a message."""
        self._frames = Frames()

    def close(self) -> None:
        """Closes both pipes; those that are closed stay so."""
        for end in (self.output, self.input):
            if end >= 0:
                os.close(end)
        self.output = self.input = -1

    def close_output(self) -> None:
        """Tells the process that there is nothing more to do."""
        os.close(self.output)
        self.output = -1


class _Worker(_Pipes):
    """A worker.

    Attributes:
        process: Its number, or None while there is none.
        started: Whether it has begun to work.
        replacing: Whether the previous one has ended and the next one is not there yet.
        distrusted: Whether it has sent nonsense and is to be killed, or was.
        hung: Whether it was killed because a picture took too long.
        on_hand: The pictures that it has not answered for: number, file, bytes of the job.
        since: When it last sent something, or got a job after it had none.
    """

    def __init__(self, ends: Sequence[int]) -> None:
        super().__init__(ends)
        self.on_hand: deque[tuple[int, str, int]] = deque()
        self.since = 0.0
        self.replacing = False
        self.forget()

    def forget(self) -> None:
        """Resets what was known of an ended worker."""
        self.process: int | None = None
        self.started = self.distrusted = self.hung = False
        self.on_hand.clear()
        self.reset()

    def has_room_for(self, job: bytes) -> bool:
        """Tells whether its pipe has room for a further job."""
        if self.replacing or len(self.on_hand) >= _AHEAD:
            return False
        return not self.on_hand or sum(job[2] for job in self.on_hand) + len(job) <= _FILLED

    def give(self, job: Job, data: bytes) -> None:
        """Sends it a job."""
        if not self.on_hand:
            self.since = time.monotonic()
        self.on_hand.append((job.number, job.file, len(data)))
        self.send(data)

    def received(self) -> list[Message]:
        """The valid messages that have arrived; what it sends after an invalid one is ignored."""
        valid: list[Message] = []
        if self.distrusted:
            _is_empty(self)
            return valid
        try:
            arrived = self.receive() or []
        except (ValueError, OSError):
            self.distrusted = True
            return valid
        if arrived:
            self.since = time.monotonic()
        for message in arrived:
            if not self._accepts(message):
                self.distrusted = True
            if self.distrusted:
                break
            valid.append(message)
        return valid

    def _accepts(self, message: Message) -> bool:
        if isinstance(message, Started):
            self.started = True
            return True
        if isinstance(message, (Classified, Failed)) and self.on_hand:
            number, file, _ = self.on_hand[0]
            named = message.prediction.file if isinstance(message, Classified) else file
            if (message.number, named) == (number, file):
                self.on_hand.popleft()
                return True
        return isinstance(message, Unusable)


class WorkerPool:
    """The worker processes.

    Args:
        task: Settings and number of the workers.
        fork: Fork the first process from this one, which has no threads; else start a fresh
            interpreter.

    Attributes:
        ready: Whether the models are loaded.
        ended: Whether all processes have ended, and a new pool is needed.

    Raises:
        RuntimeMissing: The system refuses a process, or the pipes to so many.
    """

    def __init__(self, task: Task, fork: bool = True) -> None:
        self.ready = self.ended = False
        self._status: int | None = None
        ours: list[int] = []
        theirs: list[int] = []
        try:
            for _ in range(1 + task.workers):
                theirs_input, ours_output = os.pipe()
                theirs.append(theirs_input)
                ours.append(ours_output)
                ours_input, theirs_output = os.pipe()
                theirs.append(theirs_output)
                ours.append(ours_input)
            self._process = _fork_first(theirs) if fork else _start_first(theirs)
        except OSError as error:
            for end in ours:
                os.close(end)
            raise RuntimeMissing(
                f"no process can be started for {task.workers} --workers ({error.strerror}); "
                "choose fewer, or let this user have more open files and processes (ulimit)"
            ) from None
        finally:
            for end in theirs:
                os.close(end)
        self._control = _Pipes(ours[:2])
        self._workers = [_Worker(ours[end : end + 2]) for end in range(2, len(ours), 2)]
        self._poll = select.poll()
        for pipes in (self._control, *self._workers):
            self._poll.register(pipes.input, select.POLLIN)
        self._control.send(messages.encode(task))

    @property
    def on_hand(self) -> list[int]:
        """The numbers of the pictures that were given and not answered for, in order."""
        return sorted(number for worker in self._workers for number, *_ in worker.on_hand)

    def give(self, job: Job) -> bool:
        """Gives a job to the worker that has the least to do; tells whether one had room."""
        if not self.ready or self.ended:
            return False
        data = messages.encode(job)
        free = [worker for worker in self._workers if worker.has_room_for(data)]
        if not free:
            return False
        min(free, key=lambda worker: len(worker.on_hand)).give(job, data)
        return True

    def listen(self, longest: float) -> list[Message | Lost]:
        """Waits for the workers; kills those that hang or send nonsense.

        Args:
            longest: Seconds that a picture may take.
        """
        talking = {file for file, _ in self._poll.poll(self._patience(longest))}
        events: list[Message | Lost] = []
        for member in self._workers:
            if member.input in talking:
                events += member.received()
        if self._control.input in talking:
            events += self._controlled()
        if not self.ended:
            overdue = time.monotonic() - longest
            for member in self._workers:
                if member.on_hand and member.since <= overdue and not member.hung:
                    member.hung = True
                    self._kill(member)
                elif member.distrusted:
                    self._kill(member)
        return events

    def finish(self) -> None:
        """Lets idle workers end, and kills those that take too long to."""
        for pipes in (self._control, *self._workers):
            pipes.close_output()
        self.end_in(_SHUTDOWN_TIMEOUT)

    def end_in(self, seconds: float) -> str:
        """Ends the processes that do not end by themselves meanwhile; returns what `end` does."""
        deadline = time.monotonic() + seconds
        try:
            while not self._has_ended() and time.monotonic() < deadline:
                time.sleep(_POLL_INTERVAL)
        except BaseException:  # a signal that stops the command must not leave a process behind
            self.end()
            raise
        return self.end()

    def end(self) -> str:
        """Kills all processes; returns how the first one ended."""
        if self._status is None:  # else its number may be another's by now
            try:
                os.killpg(self._process, signal.SIGKILL)
            except OSError:  # it does not lead a group yet
                with suppress(OSError):
                    os.kill(self._process, signal.SIGKILL)
            self._wait(0)
            _wait_for_orphans(self._process)
        for pipes in (self._control, *self._workers):
            pipes.close()
        self.ended = True
        return _how(self._status or 0)

    def _controlled(self) -> list[Message | Lost]:
        """Acts on the first process's messages."""
        try:
            arrived = self._control.receive()
        except ValueError:
            arrived = None
        if arrived is None:
            return self._all_lost()
        events: list[Message | Lost] = []
        for message in arrived:
            if isinstance(message, (Ready, Warned, Unusable)):
                self.ready = self.ready or isinstance(message, Ready)
                events.append(message)
            elif isinstance(message, ForkFailed):
                events.append(message)
                events += self._not_forked()
            elif not isinstance(message, (Forked, Ended)) or message.worker >= len(self._workers):
                return events + self._all_lost()
            elif isinstance(message, Forked):
                member = self._workers[message.worker]
                member.process = message.process
                member.replacing = False
            else:
                events += self._lost(self._workers[message.worker], message.status)
        return events

    def _lost(self, member: _Worker, status: int) -> list[Message | Lost]:
        """Takes leave of an ended worker, and has it replaced."""
        events: list[Message | Lost] = []
        while valid := member.received():
            events += valid
        while not _is_empty(member):  # after nonsense
            pass
        numbers = [number for number, *_ in member.on_hand]
        events.append(Lost(numbers, _how(status), member.started, member.hung))
        member.forget()
        member.replacing = True
        self._control.send(messages.encode(Replace()))
        return events

    def _not_forked(self) -> list[Message | Lost]:
        """Takes back what was given to workers that could not be forked."""
        events: list[Message | Lost] = []
        for member in self._workers:
            if member.process is None:
                if member.on_hand:
                    numbers = [number for number, *_ in member.on_hand]
                    events.append(Lost(numbers, "", False, False))
                member.forget()
                member.replacing = True
        return events

    def _all_lost(self) -> list[Message | Lost]:
        """Ends the pool after its first process."""
        events: list[Message | Lost] = []
        for member in self._workers:
            while valid := member.received():
                events += valid
        hung = any(member.hung for member in self._workers)
        at_work = any(member.started and member.on_hand for member in self._workers)
        numbers = self.on_hand
        events.append(Lost(numbers, self.end(), at_work, hung))
        return events

    def _patience(self, longest: float) -> int | None:
        """Milliseconds until a worker has been at a picture for too long."""
        begun = [member.since for member in self._workers if member.on_hand and not member.hung]
        return max(ceil(1000 * (min(begun) + longest - time.monotonic())), 0) if begun else None

    def _kill(self, member: _Worker) -> None:
        """Kills a worker, or everything where it is not known which process it is."""
        with suppress(OSError):  # it has ended
            process = member.process
            if process is None or os.getpgid(process) != self._process:
                process = self._process
            os.kill(process, signal.SIGKILL)

    def _has_ended(self) -> bool:
        if self._status is None:
            self._wait(os.WNOHANG)
        return self._status is not None

    def _wait(self, options: int) -> None:
        try:
            process, status = os.waitpid(self._process, options)
        except ChildProcessError:  # a host program has waited for it, or ignores its children
            self._status = 0
        else:
            self._status = status if process else None


def _is_empty(pipes: _Pipes) -> bool:
    """Reads and discards a piece; tells whether there was none."""
    try:
        return not os.read(pipes.input, _PIECE)
    except OSError:
        return True


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    if -code == signal.SIGKILL:
        return "was killed (is there too little memory?)"
    return f"crashed ({signal.Signals(-code).name})"


def _fork_first(ends: Sequence[int]) -> int:
    """Forks the first process.

    So Python starts only once, and what both import is imported once. The command has no threads
    and none of the libraries, which might not survive a fork.
    """
    command = os.getpid()
    try:
        process = os.fork()
        if process == 0:
            worker.main(ends)
        return process
    finally:
        if os.getpid() != command:  # whatever was raised, a signal's exception too
            os._exit(1)


def _start_first(ends: Sequence[int]) -> int:
    """Starts the first process as a fresh interpreter, whatever threads this process has."""
    import subprocess  # late: the command does without

    if not sys.executable:
        raise RuntimeMissing("there is no Python interpreter to start worker processes with")
    arguments = [",".join(map(str, ends)), *filter(None, sys.path)]
    started = subprocess.Popen([sys.executable, "-c", _PROGRAM, *arguments], pass_fds=ends)
    started.returncode = 0  # it is waited for here
    return started.pid


def _wait_for_orphans(leader: int) -> None:
    """Waits for the workers of an ended first process.

    They become this process's children where it is the system's first one, as in a container.
    """
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-leader, 0)

"""Starts and ends the first worker process, which forks the others, with their pipes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.workers import worker
from image_gender_classifier.workers.channel import LENGTH, Channel, encode
from image_gender_classifier.workers.messages import Task

_POLL_INTERVAL = 0.002  # seconds

# A fresh interpreter finds modules where this one does, and not in the current folder.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[3:]; from image_gender_classifier.workers.worker "
    "import main; main(list(map(int, sys.argv[1].split(','))), sys.argv[2])"
)


class FirstProcess:
    """The first process and the channels to it and to each worker.

    Args:
        task: Settings and number of the workers.
        fork: Fork it from this process, which has no threads; else start a fresh interpreter.

    Raises:
        RuntimeMissing: The system refuses the process, or the pipes to so many workers.
    """

    def __init__(self, task: Task, fork: bool) -> None:
        self._status: int | None = None
        ends: list[int] = []  # of two pipes for each process: to it, then from it
        try:
            for _ in range(2 * (1 + task.workers)):
                ends += os.pipe()
            theirs = [end for place, end in enumerate(ends) if place % 4 in (0, 3)]
            self._process = _fork(theirs, task) if fork else _start(theirs, task)
        except OSError as error:
            _close(ends)
            raise RuntimeMissing(
                f"no process can be started for {task.workers} --workers ({error.strerror}); "
                "choose fewer, or let this user have more open files and processes (ulimit)"
            ) from None
        _close(theirs)
        self.channels = list(map(Channel, ends[2::4], ends[1::4]))
        for channel in self.channels:
            os.set_blocking(channel.source, False)

    def kill(self, worker: int) -> None:
        """Kills the process of a worker; the first process if a worker gave a false number."""
        with suppress(OSError):  # it has ended
            ours = os.getpgid(worker) == self._process
            os.kill(worker if ours else self._process, signal.SIGKILL)

    def end(self, seconds: float) -> int:
        """Ends all processes that do not end by themselves in time; returns the first's status."""
        _close([channel.sink for channel in self.channels])  # there is nothing more to do
        deadline = time.monotonic() + seconds
        try:
            while not self._has_ended(os.WNOHANG) and time.monotonic() < deadline:
                time.sleep(_POLL_INTERVAL)
        finally:  # a signal that stops the command must not leave a process behind
            if self._status is None:  # else its number may be another's by now
                with suppress(OSError):
                    os.kill(self._process, signal.SIGKILL)
                    os.killpg(self._process, signal.SIGKILL)  # unless it does not lead a group yet
                self._has_ended(0)
            _wait_for_orphans(self._process)
            _close([channel.source for channel in self.channels])
            self.channels.clear()
        return self._status or 0

    def _has_ended(self, options: int) -> bool:
        if self._status is None:
            try:
                process, status = os.waitpid(self._process, options)
            except ChildProcessError:  # a host program has waited for it, or ignores its children
                process, status = self._process, 0
            self._status = status if process else None
        return self._status is not None


def how_it_ended(status: int) -> str:
    """Describes the end of a process, from its status as `os.wait` gives it."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    if -code == signal.SIGALRM:
        return "took too long"
    if -code == signal.SIGKILL:
        return "was killed (is there too little memory?)"
    return f"crashed ({signal.Signals(-code).name})"


def was_killed(status: int) -> bool:
    """Returns whether a process was killed from outside or by its own time limit."""
    killers = (signal.SIGKILL, signal.SIGTERM, signal.SIGALRM)
    return -os.waitstatus_to_exitcode(status) in killers


def _close(ends: Sequence[int]) -> None:
    for end in ends:
        os.close(end)


def _fork(ends: Sequence[int], task: Task) -> int:
    """Forks the first process.

    So Python starts only once, and what both import is imported once. The command has no threads
    and none of the libraries, which might not survive a fork.
    """
    command = os.getpid()
    try:
        process = os.fork()
        if process == 0:
            worker.main(ends, task)
        return process
    finally:
        if os.getpid() != command:  # whatever was raised, a signal's exception too
            os._exit(1)


def _start(ends: Sequence[int], task: Task) -> int:
    """Starts the first process as a fresh interpreter, whatever threads this process has."""
    import subprocess  # late: the command does without

    if not sys.executable:
        raise OSError(0, "the path of the Python interpreter is unknown")
    message = encode(task)[LENGTH:].decode()
    command = [sys.executable, "-c", _PROGRAM, ",".join(map(str, ends)), message]
    started = subprocess.Popen([*command, *filter(None, sys.path)], pass_fds=ends)
    started.returncode = 0  # it is waited for here
    return started.pid


def _wait_for_orphans(leader: int) -> None:
    """Waits for the workers of an ended first process.

    They become this process's children where it is the system's first one, as in a container.
    """
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-leader, 0)

"""Starts and ends the first worker process, which forks the others, and its pipes."""

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
from image_gender_classifier.workers.messages import INTERNAL_ERROR_CODE, Task

_POLL_INTERVAL = 0.002  # seconds

# A new interpreter gets the module search path of this one, without the current folder.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[3:]; from image_gender_classifier.workers.worker "
    "import main; main(list(map(int, sys.argv[1].split(','))), sys.argv[2])"
)


class FirstProcess:
    """The first worker process.

    Args:
        task: Settings and number of the workers.
        fork: Fork the process from this one, which must have no threads. False starts a new
            interpreter.

    Attributes:
        channels: The channel to the first process, then one for each worker.

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
                f"--workers {task.workers}: no worker process can be started ({error.strerror}); "
                "choose fewer, or raise the limits on open files and processes (ulimit -n, -u)"
            ) from None
        _close(theirs)
        self.channels = list(map(Channel, ends[2::4], ends[1::4]))
        for channel in self.channels:
            os.set_blocking(channel.source, False)

    def kill(self, worker: int) -> None:
        """Kills a worker by its process id; the first process if the id is not one of a worker."""
        with suppress(OSError):  # it has ended
            ours = os.getpgid(worker) == self._process
            os.kill(worker if ours else self._process, signal.SIGKILL)

    def end(self, seconds: float) -> int:
        """Ends all processes.

        Args:
            seconds: Time in which they may end by themselves before they are killed.

        Returns:
            The status of the first process, as from `os.wait`.
        """
        _close([channel.sink for channel in self.channels])  # tells the processes to end
        deadline = time.monotonic() + seconds
        try:
            while not self._has_ended(os.WNOHANG) and time.monotonic() < deadline:
                time.sleep(_POLL_INTERVAL)
        finally:  # a signal that stops the command must not leave a process behind
            if self._status is None:  # else another process may have its id by now
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
            except ChildProcessError:  # a host program waited for it, or ignores SIGCHLD
                process, status = self._process, 0
            self._status = status if process else None
        return self._status is not None


def is_internal_error(status: int) -> bool:
    """Returns whether an exception that is not about a picture ended a worker.

    Args:
        status: Status of the process, as from `os.wait`.
    """
    return os.waitstatus_to_exitcode(status) == INTERNAL_ERROR_CODE


def was_killed(status: int) -> bool:
    """Returns whether a process was killed from outside or by its own time limit.

    Args:
        status: Status of the process, as from `os.wait`.
    """
    killers = (signal.SIGKILL, signal.SIGTERM, signal.SIGALRM)
    return -os.waitstatus_to_exitcode(status) in killers


def describe_exit(status: int) -> str:
    """Returns how a process ended, as the end of a sentence about it.

    Args:
        status: Status of the process, as from `os.wait`.
    """
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    if -code == signal.SIGALRM:
        return "took too long"
    if -code == signal.SIGKILL:
        return "was killed (is there too little memory?)"
    return f"crashed ({signal.Signals(-code).name})"


def _close(ends: Sequence[int]) -> None:
    for end in ends:
        os.close(end)


def _fork(ends: Sequence[int], task: Task) -> int:
    """Forks the first process and returns its process id.

    A fork starts faster than a new interpreter. It is safe because the command has no threads and
    has not loaded the libraries, which might not survive a fork.
    """
    command = os.getpid()
    try:
        process = os.fork()
        if process == 0:
            worker.main(ends, task)
        return process
    finally:
        if os.getpid() != command:  # the child must not return, whatever it raises
            os._exit(1)


def _start(ends: Sequence[int], task: Task) -> int:
    """Starts the first process as a new interpreter and returns its process id."""
    import subprocess  # late: the command forks

    if not sys.executable:
        raise OSError(0, "the path of the Python interpreter is unknown")
    message = encode(task)[LENGTH:].decode()
    command = [sys.executable, "-c", _PROGRAM, ",".join(map(str, ends)), message]
    started = subprocess.Popen([*command, *filter(None, sys.path)], pass_fds=ends)
    started.returncode = 0  # it is waited for here
    return started.pid


def _wait_for_orphans(leader: int) -> None:
    """Waits for the workers of an ended first process.

    Where this process has the id 1, as in a container, they become its children.
    """
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-leader, 0)

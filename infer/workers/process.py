"""Starts and ends the first worker process, which forks the others; opens the pipes to all."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.system.console import open_missing_streams
from image_gender_classifier.workers import worker
from image_gender_classifier.workers.channel import LENGTH, Channel, encode
from image_gender_classifier.workers.messages import Task

# A new interpreter gets the module search path of this one, without the current folder.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[3:]; from image_gender_classifier.workers import channel, "
    "worker; worker.main(list(map(int, sys.argv[1].split(','))), "
    "channel.decode(sys.argv[2].encode()))"
)


class FirstProcess:
    """The first worker process.

    Args:
        task: Settings and number of the workers.
        fork: Whether to fork the process from this one, which must then have no other threads. If
            False, a new interpreter is started.

    Attributes:
        channels: The channel to the first process, then one for each worker; empty after `end`.
            Receiving from them does not block.

    Raises:
        RuntimeMissing: The operating system refuses to start the process or to open the pipes to
            all workers, or `sys.executable` is empty and `fork` is False.
    """

    def __init__(self, task: Task, fork: bool) -> None:
        self._status: int | None = None
        ends: list[int] = []  # of two pipes for each process: to it, then from it
        if not (fork or sys.executable):
            raise RuntimeMissing(
                "no worker process can be started, because sys.executable is empty; set it to the "
                "path of the Python interpreter"
            )
        open_missing_streams()
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

    def end(self, seconds: float = 0.0) -> int:
        """Ends all worker processes and closes the channels. May be called again.

        Args:
            seconds: Time in which they may end by themselves before they are killed.

        Returns:
            The status of the first process, as from `os.wait`; 0 if it is unknown.
        """
        channels, self.channels = self.channels, []
        _close([channel.sink for channel in channels])  # the processes end at the end of the pipes
        closed = select.poll()
        for control in channels[:1]:
            closed.register(control.source, 0)  # only POLLHUP: the first process has ended
        try:
            closed.poll(1000 * seconds)
        finally:  # a signal that stops the parent process must not leave a process behind
            if self._has_its_id():
                with suppress(OSError):
                    os.kill(self._process, signal.SIGKILL)
                    os.killpg(self._process, signal.SIGKILL)  # fails if it leads no group yet
                self._has_ended(0)
            _close([channel.source for channel in channels])
            with suppress(ChildProcessError):  # process 1 (in a container) adopts orphaned workers
                while True:
                    if os.waitpid(-self._process, os.WNOHANG) == (0, 0):  # some are running
                        os.killpg(self._process, signal.SIGKILL)
                        os.waitpid(-self._process, 0)
        return self._status or 0

    def _has_its_id(self) -> bool:
        """Returns whether no other process can have the id of the first process.

        It keeps its id until it is waited for, also if it has ended: its workers may be busy still.
        """
        if self._status is None and hasattr(os, "waitid"):  # not on macOS before Python 3.13
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self._process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                return True
        return not self._has_ended(os.WNOHANG)

    def _has_ended(self, options: int) -> bool:
        """Returns whether the first process has ended; `options` are those of `os.waitpid`."""
        if self._status is None:
            try:
                process, status = os.waitpid(self._process, options)
            except ChildProcessError:  # a host program waited for it, or ignores SIGCHLD
                process, status = self._process, 0
            self._status = status if process else None
        return self._status is not None


def _close(ends: Sequence[int]) -> None:
    for end in ends:
        os.close(end)


def _fork(ends: Sequence[int], task: Task) -> int:
    """Forks the first process and returns its process id; arguments as for `worker.main`.

    A fork starts faster than a new interpreter. It is safe because the parent process has no
    threads and has not loaded the libraries, which might not survive a fork.
    """
    parent = os.getpid()
    try:
        process = os.fork()
        if process == 0:
            worker.main(ends, task)
        return process
    finally:
        if os.getpid() != parent:  # the child must not return, whatever it raises
            os._exit(1)


def _start(ends: Sequence[int], task: Task) -> int:
    """Starts the first process as a new interpreter; arguments and result as for `_fork`."""
    import subprocess  # late: the command forks

    message = encode(task)[LENGTH:].decode()
    command = [sys.executable, "-c", _PROGRAM, ",".join(map(str, ends)), message]
    started = subprocess.Popen([*command, *filter(None, sys.path)], pass_fds=ends)
    started.returncode = 0  # `FirstProcess` waits for it
    return started.pid

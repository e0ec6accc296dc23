"""Classifies how a worker process ended."""

from __future__ import annotations

import os
import signal
from typing import Literal, NamedTuple

INTERNAL_ERROR_CODE = 70
"""Exit code of a worker process after an unexpected exception (`EX_SOFTWARE`)."""


class Ending(NamedTuple):
    """The end of a worker process.

    Attributes:
        cause: `crashed`: a signal such as SIGSEGV, an exit by a library, or an invalid message;
            `hung`: a timeout; `killed`: a signal from outside, such as from the out-of-memory
            killer; `internal`: an unexpected exception, a bug in this package.
        text: Predicate for a sentence about the process, such as `took too long`.
    """

    cause: Literal["crashed", "hung", "killed", "internal"]
    text: str

    @property
    def remedy(self) -> str:
        """Advice to the user if workers end like this before their first picture."""
        return _REMEDIES[self.cause]


_REMEDIES = {
    "crashed": "the libraries cannot be used here: try another --runtime, or install the package "
    "again; a PC from before 2009 needs NumPy 1 and tflite-runtime (README, Supported platforms)",
    "hung": "the machine may be overloaded: try again, or try another --runtime",
    "killed": "free some memory, raise the limit on it, or use fewer --workers",
    "internal": "--debug shows the traceback",
}

HUNG = Ending("hung", "took too long")
SENT_INVALID = Ending("crashed", "sent an invalid message")
_KILLED = Ending("killed", "was killed (is there too little memory?)")
# The signals that faulty code causes; any other comes from outside.
_CRASHES = ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP")


def classify_exit(status: int) -> Ending:
    """Classifies how a worker process ended, by its exit code or signal.

    Args:
        status: Status of the process, as from `os.wait`.
    """
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        cause: Literal["internal", "crashed"]
        cause = "internal" if code == INTERNAL_ERROR_CODE else "crashed"
        return Ending(cause, f"ended with exit code {code}")
    if -code == signal.SIGALRM:  # a worker sets this timer for each picture
        return HUNG
    if -code == signal.SIGKILL:
        return _KILLED
    try:
        name = signal.Signals(-code).name
    except ValueError:  # most real-time signals have no name
        name = f"signal {-code}"
    if name in _CRASHES:
        return Ending("crashed", f"crashed ({name})")
    return Ending("killed", f"was killed ({name})")

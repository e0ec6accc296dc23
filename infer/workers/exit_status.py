"""Classifies how a worker process ended."""

from __future__ import annotations

import os
import signal
from typing import Literal, NamedTuple

INTERNAL_ERROR_CODE = 70
"""Exit code of a worker process after an exception of our own code (`EX_SOFTWARE`)."""


class Ending(NamedTuple):
    """How a worker process ended.

    Attributes:
        cause: `crashed` includes exits by a library and invalid messages; `hung` is a timeout;
            `killed` is a signal from outside, such as from the out-of-memory killer; `internal` is
            an exception of our own code.
        text: The rest of a sentence that begins with the process.
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


def classify_exit(status: int) -> Ending:
    """Returns how a worker process ended.

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
    if -code == signal.SIGTERM:
        return Ending("killed", f"was killed ({name})")
    return Ending("crashed", f"crashed ({name})")

"""The cause of a worker's end decides whether its picture is unreadable."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.workers.exit_status import INTERNAL_ERROR_CODE, classify_exit


@pytest.mark.parametrize(
    ("ended_by", "cause", "text"),
    [
        (signal.SIGSEGV, "crashed", "crashed (SIGSEGV)"),
        (signal.SIGILL, "crashed", "crashed (SIGILL)"),
        (signal.SIGRTMIN + 1, "killed", f"was killed (signal {signal.SIGRTMIN + 1})"),
        (signal.SIGXCPU, "killed", "was killed (SIGXCPU)"),
        (signal.SIGHUP, "killed", "was killed (SIGHUP)"),
        (signal.SIGALRM, "hung", "took too long"),
        (signal.SIGKILL, "killed", "was killed (is there too little memory?)"),
        (signal.SIGTERM, "killed", "was killed (SIGTERM)"),
    ],
)
def test_signals(ended_by: int, cause: str, text: str) -> None:
    process = os.fork()
    if process == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if ended_by != signal.SIGKILL:
            signal.signal(ended_by, signal.SIG_DFL)
        os.kill(os.getpid(), ended_by)
        os._exit(0)
    assert classify_exit(os.waitpid(process, 0)[1]) == (cause, text)


@given(st.integers(0, 255))
def test_exit_codes(code: int) -> None:
    cause = "internal" if code == INTERNAL_ERROR_CODE else "crashed"
    assert classify_exit(code << 8) == (cause, f"ended with exit code {code}")

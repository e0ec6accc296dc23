"""AMX: XNNPACK must not use it, and the rest of the process must not notice."""

from __future__ import annotations

import ctypes
import faulthandler
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_gender_classifier.runtimes.amx import refuse_amx

_GET_SUPPORTED, _GET_PERMITTED, _REQUEST = 0x1021, 0x1022, 0x1023  # asm/prctl.h
_SYSTEM_CALL = 158  # arch_prctl on x86-64
_TILE_DATA = 18  # the state of AMX

_PERMISSION = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def permitted():
    features = ctypes.c_uint64()
    libc.syscall({_SYSTEM_CALL}, {_GET_PERMITTED}, ctypes.byref(features))
    return bool(features.value >> {_TILE_DATA} & 1)
def request():
    return libc.syscall({_SYSTEM_CALL}, {_REQUEST}, {_TILE_DATA}) == 0
"""


def _has_amx() -> bool:
    """Says whether the processor and the kernel have AMX."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return False
    if " amx_tile " not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        return False
    features = ctypes.c_uint64()
    ctypes.CDLL(None).syscall(_SYSTEM_CALL, _GET_SUPPORTED, ctypes.byref(features))
    return bool(features.value >> _TILE_DATA & 1)


needs_amx = pytest.mark.skipif(not _has_amx(), reason="this processor has no AMX")


def _run(program: str) -> str:
    """Returns what a Python program prints, run after `_PERMISSION`."""
    return subprocess.run(
        [sys.executable, "-c", _PERMISSION + program],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()


@needs_amx
def test_a_model_of_litert_is_opened_without_amx() -> None:
    pytest.importorskip("ai_edge_litert")
    program = """
import image_gender_classifier
classifier = image_gender_classifier.load(runtime="tflite")
print(permitted())
"""
    assert _run(program) == "False"


@needs_amx
def test_amx_can_be_had_afterwards() -> None:
    program = """
from image_gender_classifier.runtimes.amx import refuse_amx
with refuse_amx():
    print(request(), permitted())
print(request(), permitted())
"""
    assert _run(program).split() == ["False", "False", "True", "True"]


@needs_amx
def test_a_process_that_has_amx_already_is_left_alone() -> None:
    program = """
from image_gender_classifier.runtimes.amx import refuse_amx
request()
with refuse_amx():
    print(permitted())
print(permitted())
"""
    assert _run(program).split() == ["True", "True"]


@pytest.fixture
def fault_handler() -> Iterator[None]:
    """Gives this thread the alternative signal stack of Python's fault handler."""
    was_enabled = faulthandler.is_enabled()
    faulthandler.enable(file=2)
    yield
    if not was_enabled:
        faulthandler.disable()


def _signal_stack() -> tuple[object, ...]:
    """The alternative signal stack of this thread: address, flags and size."""

    class Stack(ctypes.Structure):
        _fields_ = (
            ("address", ctypes.c_void_p),
            ("flags", ctypes.c_int),
            ("size", ctypes.c_size_t),
        )

    stack = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
    return stack.address, stack.flags, stack.size


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
@pytest.mark.usefixtures("fault_handler")
def test_the_signal_stack_of_the_thread_is_restored() -> None:
    before = _signal_stack()
    with refuse_amx():
        pass
    assert _signal_stack() == before
    with pytest.raises(ValueError), refuse_amx():
        raise ValueError
    assert _signal_stack() == before


@needs_amx
def test_signals_are_handled_meanwhile() -> None:
    program = """
import signal
from image_gender_classifier.runtimes.amx import refuse_amx
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
with refuse_amx():
    signal.raise_signal(signal.SIGUSR1)
    print("after")
"""
    assert _run(program).split() == ["handled", "after"]

"""Keeps LiteRT from using AMX, the matrix unit of recent Intel server processors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Room for a signal without the state of AMX (11 KB together), so that Linux accepts it.
_SMALL = 8192


@contextmanager
def refuse_amx() -> Iterator[None]:
    """Makes Linux refuse this process the use of AMX while the block runs.

    With AMX, networks as small as ours take up to twice (gender) or four times (refiner) as long as
    with AVX-512 VNNI, for the same outputs. XNNPACK, which LiteRT uses, has no option against it,
    but asks Linux for permission once per process, when its first model is opened, and does without
    AMX if that fails.

    Linux refuses it as long as a thread has an alternative signal stack that is too small for the
    state of AMX (Documentation/arch/x86/xstate.rst), so this thread gets one. Afterwards, other
    libraries can get the permission; a process that has it already keeps it. On other systems and
    processors, this changes nothing.
    """
    if sys.platform != "linux" or os.uname().machine != "x86_64" or sys.maxsize < 2**32:
        yield
        return
    import ctypes  # NumPy imports it anyway

    class Stack(ctypes.Structure):  # stack_t
        _fields_ = (
            ("address", ctypes.c_void_p),
            ("flags", ctypes.c_int),
            ("size", ctypes.c_size_t),
        )

    set_stack = ctypes.CDLL(None).sigaltstack
    memory = ctypes.create_string_buffer(_SMALL)
    before = Stack()
    small = Stack(ctypes.addressof(memory), 0, _SMALL)
    is_set = set_stack(ctypes.byref(small), ctypes.byref(before)) == 0
    try:
        yield
    finally:
        if is_set:
            set_stack(ctypes.byref(before), None)

"""Sets up a worker process: session, signals, files, standard streams, OpenCV and memory."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.imaging import opencv
from image_gender_classifier.system import memory

_STANDARD = 3  # file descriptors: input, output and error
_USUALLY_OPEN = 1024  # usual maximum of open files
_RESET_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM)

# glibc keeps freed memory up to these sizes: allocating it again takes as long as detecting a face.
# Options of `mallopt` (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD) and bytes.
_MALLOC_OPTIONS = ((-3, 2**23), (-1, 2**24))


def detach(kept: Sequence[int]) -> None:
    """Starts a new session, resets signal handlers and mask, and closes inherited files.

    Args:
        kept: The file descriptors to keep open, besides the standard streams.
    """
    with suppress(PermissionError):  # it leads a group already
        os.setsid()  # Ctrl-C in the terminal interrupts only the parent process
    for number in _RESET_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # a program may block or ignore them
    opened: Iterable[int] = range(_USUALLY_OPEN)
    with suppress(OSError):
        opened = [int(file.name) for file in Path("/dev/fd").iterdir()]
    for file in opened:  # a lock must not outlive a killed parent process
        if file not in kept and file >= _STANDARD:
            with suppress(OSError):
                os.close(file)


def silence_standard_streams(keep_errors: bool) -> None:
    """Redirects the standard streams to /dev/null.

    Libraries print errors about corrupt files to them; the predictions report these errors too.

    Args:
        keep_errors: Whether to leave standard error as it is.

    Raises:
        RuntimeMissing: /dev/null cannot be opened, such as in a chroot without it.
    """
    for file in range(_STANDARD - 1 if keep_errors else _STANDARD):
        try:
            null = os.open(os.devnull, os.O_RDWR)
        except OSError as error:
            raise RuntimeMissing(
                f"no worker process can be started, because {os.devnull} cannot be opened "
                f"({error.strerror}); provide it in this container or chroot"
            ) from error
        os.dup2(null, file)


def print_traceback() -> None:
    """Prints the traceback of the current exception to standard error."""
    import traceback  # late: rarely needed

    with suppress(OSError):
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))


def load_opencv() -> None:
    """Loads NumPy and OpenCV, both with one thread: there is one process per core.

    Raises:
        RuntimeMissing: OpenCV cannot be used.
        MemoryError: Memory is short for it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for NumPy
    try:
        opencv.check_opencv()
    except RuntimeMissing as error:
        if memory.is_short_for_library(error.__context__):
            raise MemoryError(str(error)) from error
        raise
    import cv2

    cv2.setNumThreads(1)
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Makes glibc keep the freed memory of a picture of usual size for the next picture.

    Does nothing with another C library.
    """
    import ctypes  # NumPy imports it anyway

    with suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        for option, size in _MALLOC_OPTIONS:
            libc.mallopt(option, size)

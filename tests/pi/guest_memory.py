"""Memory of emulated programs without that of the emulator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_KB = 1024
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ (\S{4}) \S+ \S+ \d+ *(.*)$")


def guest_size(smaps: str, emulator: str) -> int:
    """Returns the PSS of a process's mappings that belong to the emulated program, in bytes.

    The emulator owns the translated code (the only writable and executable mappings), the heap and
    stack that Linux labels, and the mappings of its own files.

    Args:
        smaps: The text of /proc/PID/smaps.
        emulator: Prefix of the paths of the emulator's files.
    """
    total = 0
    counts = False
    for line in smaps.splitlines():
        mapping = _MAPPING.match(line)
        if mapping is not None:
            rights, path = mapping.groups()
            translated = "w" in rights and "x" in rights
            counts = not (translated or path.startswith(("[", emulator)))
        elif counts and line.startswith("Pss:"):
            total += int(line.split()[1]) * _KB
    return total


def guests_below(folder: Path, emulator: str) -> int:
    """Returns the PSS of all running programs emulated with this root folder, in bytes."""
    return sum(guest_size(smaps, emulator) for smaps in _smaps(str(folder).encode()))


def _smaps(word: bytes) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended
            if word in (process / "cmdline").read_bytes():
                yield (process / "smaps").read_text("utf-8", "replace")

"""What emulated programs hold in memory, without what their emulator holds for itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_KB = 1024
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ (\S{4}) \S+ \S+ \d+ *(.*)$")


def guest_size(smaps: str, emulator: str) -> int:
    """Adds up the proportional sizes (PSS) of a process's mappings that are the guest's, in bytes.

    Not the guest's are the translated code, the one part that may be written and executed; the
    heap and the stack, since a guest's lie elsewhere; and the emulator's own files.

    Args:
        smaps: What /proc/PID/smaps says.
        emulator: What the paths of the emulator's files begin with.
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
    """Adds up what all emulated programs hold now whose root folder is the one given, in bytes."""
    return sum(guest_size(smaps, emulator) for smaps in _smaps(str(folder).encode()))


def _smaps(word: bytes) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may have ended
            if word in (process / "cmdline").read_bytes():
                yield (process / "smaps").read_text("utf-8", "replace")

"""What of an emulator's memory is its guest's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pi.guest_memory import guest_size, guests_below

SMAPS = """\
00400000-00500000 r-xp 00000000 08:01 7 /emulator/bin/qemu
Pss:                 100 kB
01000000-02000000 rw-p 00000000 00:00 0 [heap]
Pss:                2000 kB
03000000-04000000 rwxp 00000000 00:00 0
Pss:               30000 kB
05000000-06000000 rw-p 00000000 00:00 0
Size:              99999 kB
Pss:                   7 kB
Pss_Dirty:             5 kB
07000000-08000000 r--p 00000000 08:01 9 /root folder/usr/lib/libpython.so
Pss:                   4 kB
"""


def test_the_emulators_own_is_left_out() -> None:
    assert guest_size(SMAPS, "/emulator") == 11 * 1024


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs /proc")
def test_processes_are_found_by_a_word() -> None:
    own = Path(os.fsdecode(Path("/proc/self/cmdline").read_bytes().split(b"\0")[0]))
    assert guests_below(own, "/nothing") > 2**20
    assert guests_below(Path("/no/such/root"), "/nothing") == 0

"""Memory as Linux tells it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import pss
from benchmarks.figures import CannotMeasure
from benchmarks.processes import run

ROLLUP = """\
55d0c7a00000-7ffd3c5f1000 ---p 00000000 00:00 0                          [rollup]
Rss:               12345 kB
Pss:               10000 kB
Pss_Anon:           9000 kB
Pss_File:           1000 kB
SwapPss:             500 kB
"""
STATUS = "Name:\tpython\nVmPeak:\t  20000 kB\nVmHWM:\t   15000 kB\nVmRSS:\t   12345 kB\n"


def test_only_the_proportional_set_size_counts() -> None:
    assert pss.parse_pss(ROLLUP) == 10_000 * 1024


def test_the_mappings_of_smaps_are_summed() -> None:
    assert pss.parse_pss("Pss:   4 kB\nRss:  9 kB\nPss:   3 kB\n") == 7 * 1024


def test_the_highest_resident_size_is_read() -> None:
    assert pss.parse_highest(STATUS) == 15_000 * 1024


def test_an_ended_process_says_nothing() -> None:
    with pytest.raises(ValueError, match="Pss"):
        pss.parse_pss("")
    with pytest.raises(ValueError, match="VmHWM"):
        pss.parse_highest("Name:\tpython\nState:\tZ (zombie)\n")


def test_the_tree_has_children_of_every_thread_and_theirs(tmp_path: Path) -> None:
    children = {1: {1: "2 ", 11: "3 "}, 2: {2: "4 "}, 3: {3: ""}, 4: {4: ""}}
    for process, threads in children.items():
        for thread, text in threads.items():
            folder = tmp_path / str(process) / "task" / str(thread)
            folder.mkdir(parents=True)
            (folder / "children").write_text(text)
    assert sorted(pss.tree(1, tmp_path)) == [1, 2, 3, 4]


def test_a_process_that_is_gone_has_no_children(tmp_path: Path) -> None:
    assert list(pss.tree(7, tmp_path)) == [7]


@pytest.mark.skipif(not pss.can_be_measured(), reason="no smaps_rollup here")
def test_this_process_has_a_size() -> None:
    assert 1 < pss.of_tree(os.getpid()) < 100_000
    assert pss.highest_of(os.getpid()) > 1


@pytest.mark.skipif(not pss.can_be_measured(), reason="no smaps_rollup here")
def test_a_child_counts_to_its_parent() -> None:
    hold = "b = bytearray(64_000_000); b[::4096] = b'x' * len(b[::4096])"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {wait(hold)!r}])"
    assert run([sys.executable, "-c", nested], sample_every=0.02).peak > 64


def wait(program: str) -> str:
    """The program, followed by time enough to be looked at."""
    return f"{program}\nimport time; time.sleep(0.5)"


def test_a_run_tells_what_it_took() -> None:
    took = run([sys.executable, "-c", "sum(range(1_000_000))"])
    assert took.wall > 0
    assert took.cpu > 0
    assert took.peak == took.resident == 0


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(CannotMeasure, match=r"ended with 3: no pictures"):
        run(
            [sys.executable, "-c", "import sys; print('no pictures', file=sys.stderr); sys.exit(3)"]
        )


def test_the_harness_maps_no_library_of_the_command(tmp_path: Path) -> None:
    """What it mapped would be counted half to it, half to the command."""
    program = "import sys, benchmarks.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"numpy", "cv2", "ai_edge_litert", "image_gender_classifier"}.intersection(loaded)

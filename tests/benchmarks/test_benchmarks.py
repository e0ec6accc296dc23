"""Figures, their table and files, and memory measurement."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import instructions, pss, table
from benchmarks.figures import (
    CannotMeasure,
    Figure,
    at_least,
    at_most,
    load_values,
    median_ratio,
    number,
    save,
    skipped,
)  # fmt: skip
from benchmarks.processes import run

FIGURES = [
    Figure("one picture", 0.25, "s", at_most(0.3)),
    Figure("speed", 2.0, "x", at_least(2.2), "on two cores"),
    Figure("decode", 3.2, "ms"),
    skipped("peer", "not here"),
]


def test_ratio_is_the_median_over_rounds() -> None:
    assert median_ratio([2.0, 30.0, 40.0], [1.0, 10.0, 1.0]) == 3.0
    with pytest.raises(ValueError, match="shorter"):
        median_ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.0213, "0.021"), (1.5, "1.50"), (12_000.0, "12,000")]
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_saved_values_are_loaded_without_skipped_ones(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.json"
    save(path, {"cores": 2}, FIGURES)
    assert load_values(path) == {"one picture": 0.25, "speed": 2.0, "decode": 3.2}
    path.write_text("[]")
    with pytest.raises(CannotMeasure, match="is not a file of benchmark figures"):
        load_values(path)


def test_table_shows_targets_and_changes() -> None:
    heading, _, *rows = table.lines(FIGURES, {"one picture": 0.2, "decode": 4.0, "gone": 3.0})
    assert heading.split() == ["what", "figure", "target", "met", "change", "note"]
    assert [row.split() for row in rows] == [
        ["one", "picture", "0.250", "s", "≤", "0.300", "yes", "+25.0%"],
        ["speed", "2.00", "x", "≥", "2.20", "NO", "new", "on", "two", "cores"],
        ["decode", "3.20", "ms", "-20.0%"],
        ["peer", "–", "skipped:", "not", "here"],
    ]
    assert "change" not in table.lines(FIGURES)[0]


def test_callgrind_dump_is_parsed() -> None:
    dump = "# callgrind format\npart: 2\nevents: Ir\nfn=(1) work\n12 4000\n\ntotals: 818901230\n"
    assert instructions.parse_total(dump) == 818_901_230
    assert instructions.split_key("2 encode XML") == ("encode XML", 1500)


def test_process_tree_includes_children_of_every_thread(tmp_path: Path) -> None:
    for process, thread, children in ((1, 1, "2 "), (1, 11, "3 "), (2, 2, "4 "), (4, 4, "")):
        folder = tmp_path / str(process) / "task" / str(thread)
        folder.mkdir(parents=True)
        (folder / "children").write_text(children)
    assert sorted(pss.tree(1, tmp_path)) == [1, 2, 3, 4]


@pytest.mark.skipif(not pss.is_available(), reason="no smaps_rollup")
def test_peak_includes_descendants() -> None:
    hold = "b = bytearray(64_000_000); b[::4096] = b'x' * len(b[::4096])"
    child = f"{hold}\nimport time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    assert run([sys.executable, "-c", parent], sample_every=0.02).peak > 64


def test_failed_command_is_reported_with_its_last_lines() -> None:
    program = "import sys; print('no pictures', file=sys.stderr); sys.exit(3)"
    with pytest.raises(CannotMeasure, match="exited with code 3: no pictures"):
        run([sys.executable, "-c", program])


def test_benchmark_process_imports_no_library_of_the_command(tmp_path: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, benchmarks.__main__; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"numpy", "cv2", "ai_edge_litert", "image_gender_classifier"}.intersection(loaded)

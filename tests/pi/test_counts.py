"""Reading what the emulator's plugin wrote, and its table."""

from __future__ import annotations

import pytest
from pi.counts import Counts, print_table, read_counts, steps_of


def test_counts_are_parted_at_the_marks() -> None:
    text = "mark 100\nmark 130\nmark 135\nend 140\n"
    assert read_counts(text) == Counts((100, 30, 5), 140)


def test_of_several_processes_the_last_to_end_counts() -> None:
    assert read_counts("end 7\nend 9\n") == Counts((), 9)


def test_a_killed_process_has_no_total() -> None:
    assert read_counts("mark 100\n") == Counts((100,), None)


def test_steps_have_the_names_that_were_printed() -> None:
    counts = read_counts("mark 100\nmark 130\nmark 200\nmark 201\nend 300\n")
    assert steps_of(counts, ["0 find", "1 find"], ("portrait", "smaller face")) == {
        "portrait: find": 30,
        "smaller face: find": 1,
    }


def test_as_many_steps_as_names() -> None:
    with pytest.raises(ValueError, match="zip"):
        steps_of(read_counts("mark 1\nmark 2\n"), ["0 find", "0 cut"], ("portrait",))


def test_a_table_has_a_column_a_processor(capsys: pytest.CaptureFixture[str]) -> None:
    print_table({"a53": {"find": 1_234_567}, "a76": {"find": 890_000}})
    title, _, row = capsys.readouterr().out.splitlines()
    assert title.endswith("| a53 | a76 |")
    assert row == "| find | 1.23 | 0.89 |"

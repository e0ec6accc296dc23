"""The table that a person reads."""

from __future__ import annotations

from benchmarks.figures import Figure, at_least, at_most, skipped
from benchmarks.table import lines

FIGURES = [
    Figure("one picture", 0.25, "s", at_most(0.3)),
    Figure("speed", 2.0, "x", at_least(2.2), "on two cores"),
    Figure("decode", 3.2, "ms"),
    skipped("peer", "not here"),
]


def test_each_figure_stands_beside_its_target() -> None:
    heading, rule, *rows = lines(FIGURES)
    assert heading.split() == ["what", "figure", "target", "met", "note"]
    assert set(rule) == {"-"}
    assert [row.split() for row in rows] == [
        ["one", "picture", "0.250", "s", "≤", "0.300", "yes"],
        ["speed", "2.00", "x", "≥", "2.20", "NO", "on", "two", "cores"],
        ["decode", "3.20", "ms"],
        ["peer", "–", "skipped:", "not", "here"],
    ]


def test_columns_are_straight() -> None:
    heading, _, *rows = lines(FIGURES)
    assert [row.find("≤") for row in rows if "≤" in row] == [heading.find("target")]
    assert [row.find("≥") for row in rows if "≥" in row] == [heading.find("target")]
    assert {len(row) for row in rows} != {0}


def test_an_earlier_run_adds_the_change_of_each_figure() -> None:
    before = {"one picture": 0.2, "decode": 4.0, "peer": 1.0, "gone": 3.0}
    heading, _, one, speed, decode, peer = lines(FIGURES, before)
    assert "change" in heading.split()
    assert "+25.0%" in one
    assert "new" in speed.split()
    assert "-20.0%" in decode
    assert "%" not in peer


def test_there_is_a_table_without_figures() -> None:
    assert len(lines([])) == 2

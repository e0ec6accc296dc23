"""Ratios, targets, and figures kept for later runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.figures import (
    CannotMeasure,
    Figure,
    at_least,
    at_most,
    change,
    load_values,
    median_ratio,
    number,
    save,
    skipped,
)
from hypothesis import given
from hypothesis import strategies as st


def test_a_slowed_round_does_not_change_the_ratio() -> None:
    assert median_ratio([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == 2.0


def test_the_middle_round_decides() -> None:
    assert median_ratio([2.0, 3.0, 40.0], [1.0, 1.0, 1.0]) == 3.0


@pytest.mark.parametrize(("above", "below"), [([], []), ([1.0], []), ([1.0], [1.0, 2.0])])
def test_a_missing_round_is_refused(above: list[float], below: list[float]) -> None:
    with pytest.raises(ValueError, match=r"round|shorter|longer"):
        median_ratio(above, below)


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=1))
def test_the_ratio_is_one_of_those_measured_or_between_two(
    pairs: list[tuple[float, float]],
) -> None:
    ratios = [a / b for a, b in pairs]
    found = median_ratio([a for a, _ in pairs], [b for _, b in pairs])
    assert min(ratios) <= found <= max(ratios)


def test_a_target_is_met_at_its_limit() -> None:
    assert at_least(2.2).met(2.2)
    assert not at_least(2.2).met(2.19)
    assert at_most(0.3).met(0.3)
    assert not at_most(0.3).met(0.31)
    assert [str(at_least(2.2)), str(at_most(150))] == ["≥ 2.20", "≤ 150"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.0213, "0.021"),
        (1.5, "1.50"),
        (12.34, "12.3"),
        (444.4, "444"),
        (12_000.0, "12,000"),
        (-1.5, "-1.50"),
    ],
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_change_is_a_share_of_what_was() -> None:
    assert change(1.1, 1.0) == pytest.approx(0.1)
    assert change(0.5, 1.0) == pytest.approx(-0.5)
    assert change(1.0, 0.0) is None


def test_saved_figures_are_read_back_but_those_skipped(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.json"
    figures = [
        Figure("one picture", 0.25, "s", at_most(0.3)),
        Figure("speed", 2.0, "x", at_least(2.2), "note"),
        skipped("peer", "not here"),
    ]
    save(path, {"cores": 2}, figures)
    assert load_values(path) == {"one picture": 0.25, "speed": 2.0}
    assert '"met": true' in path.read_text("utf-8")
    assert '"met": false' in path.read_text("utf-8")


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"figures": [{"name": "a"}]}'])
def test_a_file_without_figures_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "bench.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CannotMeasure, match="cannot be read"):
        load_values(path)

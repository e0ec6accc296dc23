"""The split by names must never move a sample, so its answers are pinned."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.train.common.split import choose_fold, is_held_out, split_names

PINNED = [29, 37, 44, 58]


def test_about_the_requested_fraction_is_held_out() -> None:
    held_out = sum(is_held_out(f"{number}.jpg", 0.05) for number in range(20_000))
    assert 900 < held_out < 1100


def test_the_split_never_changes() -> None:
    held_out = [number for number in range(100) if is_held_out(f"train/{number}.jpg", 0.05)]
    assert held_out == PINNED


def test_the_split_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from image_gender_classifier.train.common.split import is_held_out;"
        "print([n for n in range(100) if is_held_out(f'train/{n}.jpg', 0.05)])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str(PINNED)


def test_unicode_forms_of_a_name_are_equivalent() -> None:
    for number in range(200):
        assert is_held_out(f"Jos\u00e9{number}", 0.5) == is_held_out(f"Jose\u0301{number}", 0.5)


@given(st.text(st.characters()), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_fraction_holds_out_all_of_a_smaller_one(
    name: str, one: float, two: float
) -> None:
    smaller, larger = sorted((one, two))
    assert is_held_out(name, smaller) <= is_held_out(name, larger)
    assert not is_held_out(name, 0)
    assert is_held_out(name, 1)


def test_a_name_that_is_not_unicode_is_accepted() -> None:
    assert is_held_out("\udcff.jpg", 1)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_an_invalid_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="expected 0 to 1"):
        is_held_out("a", fraction)


def test_every_sample_is_in_one_part() -> None:
    parts = split_names((f"train/{number}.jpg" for number in range(100)), 0.05)
    assert list(parts.held_out) == PINNED
    assert sorted([*parts.training, *parts.held_out]) == list(range(100))


def test_folds_are_even_and_independent_of_the_held_out_part() -> None:
    names = [f"{number}.jpg" for number in range(5000)]
    folds = [choose_fold(name, 5) for name in names]
    assert all(900 < folds.count(fold) < 1100 for fold in range(5))
    held_out = [choose_fold(name, 5) for name in names if is_held_out(name, 0.2)]
    assert all(150 < held_out.count(fold) < 250 for fold in range(5))
    assert [choose_fold(name, 5) for name in names[:9]] == folds[:9]

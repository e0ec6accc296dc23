"""Keys of rows: equal for equal pairs only, and found among sorted ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.cluster import keys

PAIRS = st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text("0123456789abcdef")))


@given(PAIRS)
def test_keys_are_equal_for_equal_pairs_only(pairs: list[tuple[str, str]]) -> None:
    assert len(np.unique(keys.make_keys(pairs))) == len(set(pairs))


@given(PAIRS, PAIRS)
def test_keys_are_found_among_sorted_ones(
    known: list[tuple[str, str]], asked: list[tuple[str, str]]
) -> None:
    ordered = keys.sort_keys([keys.make_keys(known), keys.make_keys(known[:1])])
    found = keys.contains(ordered, keys.make_keys(asked + known))
    assert found.tolist() == [pair in known for pair in asked + known]


@given(PAIRS)
def test_keys_survive_storing(pairs: list[tuple[str, str]]) -> None:
    made = keys.make_keys(pairs)
    assert (keys.load_keys(made.tobytes()) == made).all()
    assert len(made) == len(pairs)


def test_keys_that_end_with_zeros_stay_different() -> None:
    pair = keys.load_keys(b"a" * 15 + b"\0" + b"a" * 14 + b"\0" * 2)
    assert keys.contains(keys.sort_keys([pair]), pair).all()
    assert not keys.contains(pair[:1], pair[1:]).any()

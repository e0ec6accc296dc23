"""The bounds of the search, from the manifest, and logits of probabilities."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import ENTRY
from model_entries import FACE_OUTPUT

from image_gender_classifier.detection.bounds import choose_bounds, logit, sigmoid
from image_gender_classifier.manifest.schema import FaceOutput, SearchLogits


@given(st.floats(1e-9, 1 - 1e-9))
def test_the_sigmoid_undoes_the_logit(probability: float) -> None:
    assert sigmoid(logit(probability)) == pytest.approx(probability)


def test_the_ends_have_infinite_logits() -> None:
    assert (logit(0), logit(1)) == (-inf, inf)
    for great in (1e6, inf):
        assert sigmoid(-great) == pytest.approx(0)
        assert sigmoid(great) == 1


def test_without_a_face_output_nothing_is_doubtful() -> None:
    bounds = choose_bounds(ENTRY._replace(second_threshold=0.6, turned_threshold=0.8), None)
    assert bounds.turned is not None
    for part, score in ((bounds.first, 0.5), (bounds.later, 0.6), (bounds.turned, 0.8)):
        assert part.lowest == part.surest == pytest.approx(logit(score))


def test_missing_thresholds_follow_from_the_first() -> None:
    bounds = choose_bounds(ENTRY._replace(second_threshold=None, turned_threshold=None), None)
    assert bounds.later == bounds.first._replace(clear=inf)
    assert bounds.turned is None


@pytest.mark.parametrize("output", [None, FACE_OUTPUT])
def test_only_the_whole_picture_shows_clear_faces(output: FaceOutput | None) -> None:
    bounds = choose_bounds(ENTRY._replace(second_threshold=0.5, turned_threshold=0.5), output)
    assert bounds.turned is not None
    assert bounds.first.clear < inf
    assert bounds.later.clear == bounds.turned.clear == inf


def test_a_face_output_decides_for_all_parts() -> None:
    bounds = choose_bounds(ENTRY._replace(second_threshold=0.99), FACE_OUTPUT)
    assert bounds.first._replace(clear=inf) == bounds.later
    assert bounds.first.lowest < bounds.first.surest
    assert bounds.turned is not None
    assert bounds.turned.verified == pytest.approx(logit(FACE_OUTPUT.turned_threshold))


@pytest.mark.parametrize("field", SearchLogits._fields)
def test_every_logit_of_the_search_is_in_the_cache_key(field: str) -> None:
    changed = ENTRY.search._replace(**{field: 0.123})
    assert ENTRY._replace(search=changed).cache_key != ENTRY.cache_key


@pytest.mark.parametrize("output", [None, FACE_OUTPUT])
def test_the_manifest_says_which_face_is_clear(output: FaceOutput | None) -> None:
    entry = ENTRY._replace(search=ENTRY.search._replace(clear=1.23))
    assert choose_bounds(entry, output).first.clear == 1.23

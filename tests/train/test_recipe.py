"""The recipe's numbers have to go together; a run is compared by them after a trip through JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict

import pytest

from image_gender_classifier.train.recipe import Recipe
from image_gender_classifier.train.split import HELD_OUT_FRACTION


def test_survives_json() -> None:
    content = json.loads(json.dumps(asdict(Recipe())))
    assert content == asdict(Recipe())
    assert Recipe(**content) == Recipe()


def test_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Recipe().seed = 2  # type: ignore[misc]


def test_the_numbers_go_together() -> None:
    recipe = Recipe()
    assert recipe.stored_size >= recipe.input_size
    assert 1 <= recipe.blocks <= 16
    assert recipe.warmup_epochs < recipe.epochs


def test_holds_out_what_evaluation_takes_for_held_out() -> None:
    assert Recipe().held_out == HELD_OUT_FRACTION

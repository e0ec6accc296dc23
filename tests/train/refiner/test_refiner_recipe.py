"""A face refiner's recipe is checked before training."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from recipes import write_changed_recipe

pytest.importorskip("pydantic")

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.refiner.recipe import SHIPPED, load_refiner_recipe

TINY = Path(__file__).with_name("tiny.toml")


def test_the_shipped_recipe_is_the_default() -> None:
    assert load_refiner_recipe() == load_refiner_recipe(SHIPPED)
    assert load_refiner_recipe().size == 64


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("size = 32", "size = 40", "size"),
        ("size = 32", "size = 16", "size"),
        ("candidates = 32", "candidates = 15", "candidates = 15 must be at least batch = 16"),
        ("epochs = 3", "epochs = 1", "must be less than the number of epochs, 1"),
        ("epochs = 3", "epochs = 3\nlayers = 3", "layers"),
        ("search_epochs = 2", "search_epochs = 0", "search_epochs"),
        ("pictures = 6", "pictures = 0", "pictures"),
        ("held_out = 0.2", "held_out = 0.01", "held_out"),
        ("batch = 16", "batch = 0", "batch"),
        ("distilled = 0.4", "distilled = 1.1", "distilled"),
        ("distilled = 0.4", "distilled = -0.1", "distilled"),
        ("seed = 1", "", "seed"),
    ],
)
def test_an_invalid_recipe_is_an_error(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    file = write_changed_recipe(TINY, tmp_path / "recipe.toml", (right, wrong))
    with pytest.raises(UsageError, match=rf"^{re.escape(str(file))}: .*{re.escape(said)}"):
        load_refiner_recipe(file)


@pytest.mark.parametrize(
    "change",
    [("candidates = 32", "candidates = 16"), ("distilled = 0.4", "distilled = 0.0")],
    ids=str,
)
def test_limits_are_inclusive(change: tuple[str, str], tmp_path: Path) -> None:
    file = write_changed_recipe(TINY, tmp_path / "recipe.toml", change)
    assert load_refiner_recipe(file).batch == 16

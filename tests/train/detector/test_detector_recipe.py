"""A face detector's recipe is checked before training."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from recipes import write_changed_recipe

pytest.importorskip("pydantic")

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.detector.recipe import SHIPPED, load_detector_recipe

TINY = Path(__file__).with_name("tiny.toml")


def test_the_shipped_recipe_is_the_default() -> None:
    assert load_detector_recipe() == load_detector_recipe(SHIPPED)
    assert load_detector_recipe().size == 128


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("size = 64", "size = 72", "size"),
        ("size = 64", "size = 16", "size"),
        ("scenes = 32", "scenes = 15", "scenes = 15 must be at least batch = 16"),
        ("epochs = 2", "epochs = 1", "must be less than the number of epochs, 1"),
        ("epochs = 2", "epochs = 2\nlayers = 3", "layers"),
        ("held_out = 0.2", "held_out = 0.01", "held_out"),
        ("batch = 16", "batch = 0", "batch"),
        ("seed = 1", "", "seed"),
    ],
)
def test_an_invalid_recipe_is_an_error(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    file = write_changed_recipe(TINY, tmp_path / "recipe.toml", (right, wrong))
    with pytest.raises(UsageError, match=rf"^{re.escape(str(file))}: .*{re.escape(said)}"):
        load_detector_recipe(file)

"""The face refiner's recipe: network input, searched pictures and hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from image_gender_classifier.train.common import recipe
from image_gender_classifier.train.common.recipe import (
    STRICT,
    Count,
    HeldOut,
    NonNegative,
    Positive,
    Seed,
)

SHIPPED = Path(__file__).with_name("recipe.toml")
_SIZE_STEP = 16  # pixels; twice the stride of the coarsest feature map


@dataclass(frozen=True, slots=True)
class RefinerRecipe:
    """The recipe of a face refiner.

    Attributes:
        seed: Seed of weights, pictures and views.
        held_out: Fraction of the faces and of the backgrounds held out for validation.
        size: Side of the network's input in pixels.
        epochs: Number of epochs.
        search_epochs: Epochs on the candidates of one search.
        pictures: Pictures per search.
        candidates: Views of candidates per epoch.
        batch: Views per step.
        learning_rate: Peak learning rate (linear warm-up, then cosine decay to 0).
        warmup_epochs: Length of the warm-up in epochs.
        weight_decay: Decoupled weight decay of AdamW.
        distilled: Weight of the probability that the face output of the gender network gives; that
            of the true label is 1 less that.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    held_out: HeldOut
    size: Annotated[int, Field(ge=2 * _SIZE_STEP, multiple_of=_SIZE_STEP, strict=True)]
    epochs: Count
    search_epochs: Count
    pictures: Count
    candidates: Count
    batch: Count
    learning_rate: Positive
    warmup_epochs: NonNegative
    weight_decay: NonNegative
    distilled: Annotated[float, Field(ge=0, le=1, strict=True)]

    def __post_init__(self) -> None:
        if self.candidates < self.batch:
            raise ValueError(
                f"candidates = {self.candidates} must be at least batch = {self.batch}"
            )
        recipe.check_warmup(self.warmup_epochs, self.epochs)


def load_refiner_recipe(path: Path = SHIPPED) -> RefinerRecipe:
    """Reads and validates the recipe of a face refiner.

    Args:
        path: The TOML file; by default, the recipe of the shipped model.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has a missing or invalid field.
    """
    return recipe.read_recipe_file(path, RefinerRecipe)

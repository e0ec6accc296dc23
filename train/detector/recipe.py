"""The finder's training recipe: what `recipe.toml` says, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, StrictBool

from image_gender_classifier.train.common.split import HELD_OUT_FRACTION
from image_gender_classifier.train.gender import recipe
from image_gender_classifier.train.gender.recipe import STRICT, Amount, Count, Positive, Seed

SHIPPED = Path(__file__).with_name("recipe.toml")
_COARSEST = 16  # pixels of input a cell of the network's coarsest map stands for


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """How a finder is made.

    Attributes:
        seed: Of weights and scenes.
        held_out: Share of the faces kept for validation.
        pretrained: Start from ImageNet weights.
        size: Side of the network's input in pixels.
        epochs: How many.
        scenes: Scenes in each of them.
        batch: Scenes a step.
        learning_rate: Peak of the schedule (linear warm-up, then half a cosine to zero).
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled weight decay of AdamW.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    held_out: Annotated[float, Field(ge=HELD_OUT_FRACTION, lt=1, strict=True)]
    pretrained: StrictBool
    size: Annotated[int, Field(ge=2 * _COARSEST, multiple_of=_COARSEST, strict=True)]
    epochs: Count
    scenes: Count
    batch: Count
    learning_rate: Positive
    warmup_epochs: Amount
    weight_decay: Amount

    def __post_init__(self) -> None:
        if self.scenes < self.batch:
            raise ValueError("an epoch has fewer scenes than a batch")
        if self.warmup_epochs >= self.epochs:
            raise ValueError("the warm-up is longer than the training")


def load(path: Path = SHIPPED) -> DetectorRecipe:
    """Reads a finder's recipe.

    Raises:
        UsageError: The file is missing, no TOML, or says something that cannot be.
    """
    return recipe.read(path, DetectorRecipe)

"""The face detector's recipe: network input, scenes and hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool

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
_COARSEST_STRIDE = 16  # of the network's coarsest feature map, in input pixels


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """The recipe of a face detector.

    Attributes:
        seed: Seed of weights and scenes.
        held_out: Fraction of the faces and of the backgrounds held out for validation.
        pretrained: Whether to start from ImageNet weights.
        size: Side of the network's input in pixels.
        epochs: Number of epochs.
        scenes: Scenes per epoch.
        batch: Scenes per step.
        learning_rate: Peak learning rate (linear warm-up, then cosine decay to 0).
        warmup_epochs: Length of the warm-up in epochs.
        weight_decay: Decoupled weight decay of AdamW.
        network: `small` or `lite0`; see `network`.
        distilled: Weight of the teacher's answers, see `teacher.Teacher`; 0 needs no teacher.
        mined: Fraction of the scenes that are windows of backgrounds in which the network detected
            a face.
        mining_epochs: Epochs between two searches for such windows.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    held_out: HeldOut
    pretrained: StrictBool
    size: Annotated[int, Field(ge=2 * _COARSEST_STRIDE, multiple_of=_COARSEST_STRIDE, strict=True)]
    epochs: Count
    scenes: Count
    batch: Count
    learning_rate: Positive
    warmup_epochs: NonNegative
    weight_decay: NonNegative
    network: Literal["small", "lite0"]
    distilled: Annotated[float, Field(ge=0, lt=1, strict=True)]
    mined: Annotated[float, Field(ge=0, lt=1, strict=True)]
    mining_epochs: Count

    def __post_init__(self) -> None:
        if self.scenes < self.batch:
            raise ValueError(f"scenes = {self.scenes} must be at least batch = {self.batch}")
        recipe.check_warmup(self.warmup_epochs, self.epochs)


def load_detector_recipe(path: Path = SHIPPED) -> DetectorRecipe:
    """Reads and validates the recipe of a face detector.

    Args:
        path: The TOML file; by default, the recipe of the shipped model.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has a missing or invalid field.
    """
    return recipe.read_recipe_file(path, DetectorRecipe)

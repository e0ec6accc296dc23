"""The recipe for fine-tuning a gender classifier, for example on a user's pictures.

Predictions of the network as it was are a part of the targets, so that it keeps what it knows; see
Li and Hoiem, "Learning without Forgetting" (ECCV 2016).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from image_gender_classifier.train.common import recipe
from image_gender_classifier.train.common.recipe import (
    STRICT,
    Count,
    Fraction,
    FractionBelowOne,
    HeldOut,
    NonNegative,
    Positive,
    Seed,
)

SHIPPED = Path(__file__).with_name("finetune.toml")


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Hyperparameters of fine-tuning.

    Attributes:
        seed: Seed of order and augmentation.
        epochs: Largest number of epochs.
        patience: Number of epochs without a lower validation loss after which training stops.
        batch: Samples per step.
        learning_rate: Peak learning rate (linear warm-up, then cosine decay to 0).
        warmup_epochs: Length of the warm-up in epochs.
        label_weight: Weight of the labels in the targets; that of the predictions of the original
            network and of trained teachers is 1 minus this.
        label_smoothing: Label smoothing of the labels.
        hidden_hair: Fraction of the crops whose hair is hidden (all that surrounds the face), so
            that the network does not decide by it. Predictions in the targets are for the crop as
            it was.
        mixed: Fraction of mixup samples; their labels are mixed as well.
        views: Number of views of each crop, which the epochs cycle through, so that a run of the
            command computes their predictions once; 0: new views in every epoch.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    epochs: Count
    patience: Count
    batch: Count
    learning_rate: Positive
    warmup_epochs: NonNegative
    label_weight: Fraction
    label_smoothing: FractionBelowOne
    hidden_hair: Fraction
    mixed: Fraction = 0.0
    views: Annotated[int, Field(ge=0, strict=True)] = 0

    def __post_init__(self) -> None:
        recipe.check_warmup(self.warmup_epochs, self.epochs)


@dataclass(frozen=True, slots=True)
class FineTuningRecipe(FineTuning):
    """The recipe of a training that only fine-tunes.

    Attributes:
        held_out: Fraction of the samples held out for validation and calibration.
        stored_size: Side of the cached crops in pixels; at least the input size of the network.
    """

    held_out: HeldOut = field(kw_only=True)
    stored_size: Count = field(kw_only=True)

    @property
    def uses_predictions(self) -> bool:
        """Whether predictions are a part of the targets."""
        return self.label_weight < 1


def load_finetuning_recipe(path: Path | None = None) -> FineTuningRecipe:
    """Reads and validates a recipe for fine-tuning.

    Args:
        path: A TOML file with the fields that differ from `SHIPPED`; None if none do.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has an invalid field.
    """
    return recipe.read_recipe_file(path or SHIPPED, FineTuningRecipe, SHIPPED)

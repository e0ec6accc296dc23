"""The training recipe of the gender classifier: networks, distillation and hyperparameters.

Distillation follows Hinton et al., "Distilling the Knowledge in a Neural Network" (2015). Many
epochs, mixup and identical views for teacher and student follow Beyer et al., "Knowledge
distillation: A good teacher is patient and consistent" (CVPR 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, StrictBool

from image_gender_classifier.train.common import recipe
from image_gender_classifier.train.common.pretrained import BLOCKS
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
from image_gender_classifier.train.gender.finetuning_recipe import FineTuning

SHIPPED = Path(__file__).with_name("recipe.toml")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the training: consecutive epochs at one input size.

    Attributes:
        size: Side of the network's input in pixels.
        epochs: Number of epochs.
    """

    __pydantic_config__: ClassVar = STRICT

    size: Annotated[int, Field(ge=32, strict=True)]
    epochs: Count


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """Architecture and hyperparameters of one network.

    Attributes:
        seed: Added to the recipe's seed; the sum seeds weights, dropout and, for networks that
            train on labels, the views. All distilled networks see the same views in the same order.
        efficientnet_lite: EfficientNet-Lite variant, 0 to 2.
        blocks: Number of blocks to keep.
        features: Channels of the last convolution, before pooling.
        dropout: Dropout rate of the pooled features.
        stages: Stages in order; inference uses the input size of the last one.
        batch: Samples per step.
        learning_rate: Peak learning rate (linear warm-up, then cosine decay to 0).
        warmup_epochs: Length of the warm-up in epochs.
        weight_decay: Decoupled weight decay of AdamW.
        mixed: Fraction of mixup samples when training on labels.
        label_smoothing: Label smoothing of the gender labels.
        group_weight: Loss weight of each auxiliary head (age, race) relative to gender.
        distilled: Whether to train on the mean logits of all preceding teachers instead of the
            labels.
        label_weight: Weight of the labels in the targets; that of the predictions of the trained
            classifiers of `--teacher`, which are computed anew in every epoch, is 1 minus this.
            1 for distilled networks.
        hidden_hair: Fraction of the crops whose hair is hidden, as in `FineTuning`.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    efficientnet_lite: Annotated[int, Field(ge=0, le=2, strict=True)]
    blocks: Count
    features: Count
    dropout: FractionBelowOne
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    batch: Count
    learning_rate: Positive
    warmup_epochs: NonNegative
    weight_decay: NonNegative
    mixed: Fraction
    label_smoothing: FractionBelowOne
    group_weight: NonNegative
    distilled: StrictBool
    label_weight: Fraction = 1.0
    hidden_hair: Fraction = 0.0

    def __post_init__(self) -> None:
        most = BLOCKS[self.efficientnet_lite]
        if self.blocks > most:
            raise ValueError(
                f"blocks = {self.blocks} exceeds the {most} blocks of "
                f"EfficientNet-Lite{self.efficientnet_lite}"
            )
        if self.distilled and self.label_weight < 1:
            raise ValueError(
                f"label_weight = {self.label_weight:g} has no effect with distilled = true; remove "
                "one of them"
            )
        recipe.check_warmup(self.warmup_epochs, self.epochs)

    @property
    def size(self) -> int:
        """Side of the network's input in pixels in the last stage and in inference."""
        return self.stages[-1].size

    @property
    def epochs(self) -> int:
        """Total number of epochs."""
        return sum(stage.epochs for stage in self.stages)

    def size_in_epoch(self, epoch: int) -> int:
        """Returns the side of the network's input in pixels for an epoch (0-based)."""
        sizes = [stage.size for stage in self.stages for _ in range(stage.epochs)]
        return sizes[epoch]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The recipe of a gender classifier.

    Attributes:
        seed: Seed of weights, order and augmentation.
        held_out: Fraction of the samples held out for validation and calibration; at least
            `split.HELD_OUT_FRACTION`, which evaluation treats as unseen.
        stored_size: Side of the cached training crops in pixels; no stage has a larger `size`.
        pretrained: Whether to start from ImageNet weights.
        views: Number of views of each crop for distillation; epochs cycle through them.
        mixed: Fraction of mixup samples among these views.
        student: The network that is exported for inference.
        teachers: Networks that are trained before the student, in this order; may be empty.
        fine_tunings: Fine-tunings of the student, in this order, on labels and the predictions of
            itself and of trained teachers; may be empty. Their seeds are added to the recipe's.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    held_out: HeldOut
    stored_size: Count
    pretrained: StrictBool
    views: Count
    mixed: Fraction
    student: NetworkRecipe
    teachers: tuple[NetworkRecipe, ...] = ()
    fine_tunings: tuple[FineTuning, ...] = ()

    def __post_init__(self) -> None:
        networks = {f"teacher {number}": one for number, one in enumerate(self.teachers, 1)}
        for name, training in {**networks, "student": self.student}.items():
            size = max(stage.size for stage in training.stages)
            if size > self.stored_size:
                raise ValueError(
                    f"{name}: size = {size} exceeds stored_size = {self.stored_size}; raise "
                    "stored_size or lower size"
                )
        if (*self.teachers, self.student)[0].distilled:
            raise ValueError(
                "the first network has distilled = true, but no teacher before it; set it to false"
            )

    @property
    def needs_trained_teachers(self) -> bool:
        """Whether a network learns from labels and the predictions of trained classifiers."""
        return any(network.label_weight < 1 for network in (*self.teachers, self.student))

    @property
    def uses_predictions(self) -> bool:
        """Whether predictions of trained classifiers can be a part of any targets."""
        return self.needs_trained_teachers or any(
            tuning.label_weight < 1 for tuning in self.fine_tunings
        )


def load_gender_recipe(path: Path = SHIPPED) -> Recipe:
    """Reads and validates the recipe of a gender classifier.

    Args:
        path: A TOML file with the fields that differ from the recipe of the shipped model; by
            default that recipe. `teachers`, `stages` and `fine_tunings` are replaced as a whole.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has an invalid field.
    """
    return recipe.read_recipe_file(path, Recipe, SHIPPED)

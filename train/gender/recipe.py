"""The gender classifier's recipe.

Distillation follows Hinton et al., "Distilling the Knowledge in a Neural Network" (2015), with many
epochs, mixup and the same views for teacher and student as in Beyer et al., "Knowledge
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
    HeldOut,
    NonNegative,
    Positive,
    Seed,
)

SHIPPED = Path(__file__).with_name("recipe.toml")

Share = Annotated[float, Field(ge=0, lt=1, strict=True)]
Proportion = Annotated[float, Field(ge=0, le=1, strict=True)]


@dataclass(frozen=True, slots=True)
class Stage:
    """Consecutive epochs at one input size.

    Attributes:
        size: Side of the network's input in pixels.
        epochs: Number of epochs.
    """

    __pydantic_config__: ClassVar = STRICT

    size: Annotated[int, Field(ge=32, strict=True)]
    epochs: Count


@dataclass(frozen=True, slots=True)
class Training:
    """Architecture and hyperparameters of one network.

    Attributes:
        seed: Added to the recipe's seed: seeds weights and dropout, and the views of networks that
            train on labels. All distilled networks see the same views in the same order.
        efficientnet_lite: EfficientNet-Lite variant of the blocks, 0 to 2.
        blocks: Number of blocks to keep.
        features: Channels of the last convolution, before pooling.
        dropout: Dropout rate of the pooled features.
        stages: Input sizes in order; the last one is the size in inference.
        batch: Samples per step.
        learning_rate: Peak of the schedule (linear warm-up, then cosine decay to 0).
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled weight decay of AdamW.
        mixed: Share of mixup samples when training on labels.
        label_smoothing: Label smoothing of the gender labels.
        group_weight: Loss weight of each auxiliary head (age, race) relative to gender.
        distilled: Train on the outputs of the teachers before it instead of the labels.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    efficientnet_lite: Annotated[int, Field(ge=0, le=2, strict=True)]
    blocks: Count
    features: Count
    dropout: Share
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    batch: Count
    learning_rate: Positive
    warmup_epochs: NonNegative
    weight_decay: NonNegative
    mixed: Proportion
    label_smoothing: Share
    group_weight: NonNegative
    distilled: StrictBool

    def __post_init__(self) -> None:
        most = BLOCKS[self.efficientnet_lite]
        if self.blocks > most:
            raise ValueError(f"EfficientNet-Lite{self.efficientnet_lite} has {most} blocks")
        recipe.check_warmup(self.warmup_epochs, self.epochs)

    @property
    def size(self) -> int:
        """Side of the final network's input in pixels."""
        return self.stages[-1].size

    @property
    def epochs(self) -> int:
        """Total number of epochs."""
        return sum(stage.epochs for stage in self.stages)

    def size_of(self, epoch: int) -> int:
        """Gives the input side in pixels of an epoch, counted from 0."""
        sizes = [stage.size for stage in self.stages for _ in range(stage.epochs)]
        return sizes[epoch]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The recipe of a gender classifier.

    Attributes:
        seed: Seed of weights, order and augmentation.
        held_out: Share of the samples held out for validation and calibration; at least the share
            that evaluation treats as unseen.
        stored_size: Side of the stored training crops in pixels; the largest possible input.
        pretrained: Start from ImageNet weights.
        views: Number of views of each crop for distillation; epochs cycle through them.
        mixed: Share of mixup samples among these views.
        student: The network that ships.
        teachers: Networks that are trained before it, in order.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    held_out: HeldOut
    stored_size: Count
    pretrained: StrictBool
    views: Count
    mixed: Proportion
    student: Training
    teachers: tuple[Training, ...] = ()

    def __post_init__(self) -> None:
        for training in (*self.teachers, self.student):
            if max(stage.size for stage in training.stages) > self.stored_size:
                raise ValueError("an input size is larger than stored_size")
        if (*self.teachers, self.student)[0].distilled:
            raise ValueError("the first network is distilled, but has no teacher before it")


def load(path: Path = SHIPPED) -> Recipe:
    """Reads a recipe; see `common.recipe.read` for the errors."""
    return recipe.read(path, Recipe)

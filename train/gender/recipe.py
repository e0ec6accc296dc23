"""The training recipe: what `recipe.toml` says, checked.

The teacher-student scheme is Hinton et al., "Distilling the Knowledge in a Neural Network" (2015),
with the many epochs, the mixing and the same view for both that Beyer et al., "Knowledge
distillation: A good teacher is patient and consistent" (CVPR 2022) found to matter.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from pydantic import ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from image_gender_classifier.errors import UsageError
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.common.split import HELD_OUT_FRACTION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = Path(__file__).with_name("recipe.toml")
SEEDS = 2**32  # as many as NumPy takes
BLOCKS = {0: 16, 1: 21, 2: 21}
"""Blocks of each EfficientNet-Lite."""

_Kind = TypeVar("_Kind")
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS, strict=True)]
Share = Annotated[float, Field(ge=0, lt=1, strict=True)]
Proportion = Annotated[float, Field(ge=0, le=1, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True)]
Amount = Annotated[float, Field(ge=0, strict=True)]


@dataclass(frozen=True, slots=True)
class Stage:
    """Some epochs at one size of picture.

    Attributes:
        size: Side of the network's input in pixels.
        epochs: Passes over the training part.
    """

    __pydantic_config__: ClassVar = STRICT

    size: Annotated[int, Field(ge=32, strict=True)]
    epochs: Count


@dataclass(frozen=True, slots=True)
class Training:
    """One network and how it learns.

    Attributes:
        seed: Added to the recipe's: of weights, dropout and, for who learns the labels, of the
            views; all that are taught see the same views in the same order.
        lite: Which EfficientNet-Lite its blocks are from, 0 to 2.
        blocks: How many of the blocks are kept.
        features: Channels of the last convolution, before pooling.
        dropout: Share of pooled features dropped in training.
        stages: Sizes of picture, in order; the last one is the size in use.
        batch: Samples a step.
        learning_rate: Peak of the schedule (linear warm-up, then half a cosine to zero).
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled weight decay of AdamW.
        mixed: Share of the labelled pictures learnt from that are a mixture of two crops.
        label_smoothing: Of the gender labels.
        group_weight: Weight of the loss of each auxiliary head (age, race) against gender's.
        taught: It learns what the teachers before it answer, instead of the labels.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    lite: Annotated[int, Field(ge=0, le=2, strict=True)]
    blocks: Count
    features: Count
    dropout: Share
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    batch: Count
    learning_rate: Positive
    warmup_epochs: Amount
    weight_decay: Amount
    mixed: Proportion
    label_smoothing: Share
    group_weight: Amount
    taught: StrictBool

    def __post_init__(self) -> None:
        if self.blocks > BLOCKS[self.lite]:
            raise ValueError(f"EfficientNet-Lite{self.lite} has {BLOCKS[self.lite]} blocks")
        if self.warmup_epochs >= self.epochs:
            raise ValueError("the warm-up is longer than the training")

    @property
    def size(self) -> int:
        """Side of the finished network's input in pixels."""
        return self.stages[-1].size

    @property
    def epochs(self) -> int:
        """Passes over the training part in all."""
        return sum(stage.epochs for stage in self.stages)

    def size_of(self, epoch: int) -> int:
        """Gives the side of the pictures of an epoch, which is counted from 0."""
        sizes = [stage.size for stage in self.stages for _ in range(stage.epochs)]
        return sizes[epoch]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a classifier is made.

    Attributes:
        seed: Of weights, order and augmentation.
        held_out: Share of the samples kept for validation and calibration; no less than the share
            that evaluation takes for unseen.
        stored_size: Side of the crops kept for training; no input may be larger.
        pretrained: Start from ImageNet weights.
        views: Different versions of each crop that a teacher answers for; the epochs of those it
            teaches go round them.
        mixed: Share of these that are a mixture of two crops.
        student: The network that ships.
        teachers: Networks that are trained before it, in order.
    """

    __pydantic_config__: ClassVar = STRICT

    seed: Seed
    held_out: Annotated[float, Field(ge=HELD_OUT_FRACTION, lt=1, strict=True)]
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
        if (*self.teachers, self.student)[0].taught:
            raise ValueError("the first network has no teacher before it, but is to be taught")


def load(path: Path = SHIPPED) -> Recipe:
    """Reads a classifier's recipe; errors as for `read`."""
    return read(path, Recipe)


def read(path: Path, kind: type[_Kind]) -> _Kind:
    """Reads a recipe of some kind.

    Raises:
        UsageError: The file is missing, no TOML, or says something that cannot be.
    """
    try:
        content = tomllib.loads(read_document(path).decode("utf-8"))
        return TypeAdapter(kind).validate_python(content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the recipe"
        raise UsageError(f"{path}: {place}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is no TOML file ({error})") from None

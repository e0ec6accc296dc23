"""The training recipe: what `recipe.toml` says, checked.

The teacher-student scheme is Hinton et al., "Distilling the Knowledge in a Neural Network" (2015),
with the many epochs, the mixing and the same view for both that Beyer et al., "Knowledge
distillation: A good teacher is patient and consistent" (CVPR 2022) found to matter.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.split import HELD_OUT_FRACTION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = Path(__file__).with_name("recipe.toml")
SEEDS = 2**32  # as many as NumPy takes
BLOCKS = {0: 16, 1: 21, 2: 21}
"""Blocks of each EfficientNet-Lite."""

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
_Count = Annotated[int, Field(ge=1, strict=True)]
_Share = Annotated[float, Field(ge=0, lt=1, strict=True)]
_Positive = Annotated[float, Field(gt=0, strict=True)]
_Amount = Annotated[float, Field(ge=0, strict=True)]


@dataclass(frozen=True, slots=True)
class Stage:
    """Some epochs at one size of picture.

    Attributes:
        size: Side of the network's input in pixels.
        epochs: Passes over the training part.
    """

    __pydantic_config__: ClassVar = _STRICT

    size: Annotated[int, Field(ge=32, strict=True)]
    epochs: _Count


@dataclass(frozen=True, slots=True)
class Training:
    """One network and how it learns.

    Attributes:
        lite: Which EfficientNet-Lite its blocks are from, 0 to 2.
        blocks: How many of the blocks are kept.
        features: Channels of the last convolution, before pooling.
        dropout: Share of pooled features dropped in training.
        stages: Sizes of picture, in order; the last one is the size in use.
        batch: Samples a step.
        learning_rate: Peak of the schedule (linear warm-up, then half a cosine to zero).
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled weight decay of AdamW.
        label_smoothing: Of the gender labels.
        group_weight: Weight of the loss of each auxiliary head (age, race) against gender's.
    """

    __pydantic_config__: ClassVar = _STRICT

    lite: Annotated[int, Field(ge=0, le=2, strict=True)]
    blocks: _Count
    features: _Count
    dropout: _Share
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    batch: _Count
    learning_rate: _Positive
    warmup_epochs: _Amount
    weight_decay: _Amount
    label_smoothing: _Share
    group_weight: _Amount

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
class Distillation:
    """What teachers answer for and a student learns from.

    Attributes:
        views: Different versions of each crop; the student's epochs go round them.
        mixed: Share of the views that are a mixture of two crops.
    """

    __pydantic_config__: ClassVar = _STRICT

    views: _Count
    mixed: Annotated[float, Field(ge=0, le=1, strict=True)]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a classifier is made.

    Attributes:
        seed: Of weights, order and augmentation; each further training adds one.
        held_out: Share of the samples kept for validation and calibration; no less than the share
            that evaluation takes for unseen.
        stored_size: Side of the crops kept for training; no input may be larger.
        pretrained: Start from ImageNet weights.
        student: The network that ships.
        distillation: How it learns from teachers.
        teachers: Those that learn from the labels first; without any, the student does.
    """

    __pydantic_config__: ClassVar = _STRICT

    seed: Annotated[int, Field(ge=0, lt=SEEDS, strict=True)]
    held_out: Annotated[float, Field(ge=HELD_OUT_FRACTION, lt=1, strict=True)]
    stored_size: _Count
    pretrained: StrictBool
    student: Training
    distillation: Distillation
    teachers: tuple[Training, ...] = ()

    def __post_init__(self) -> None:
        for training in (*self.teachers, self.student):
            if max(stage.size for stage in training.stages) > self.stored_size:
                raise ValueError("an input size is larger than stored_size")


def load(path: Path = SHIPPED) -> Recipe:
    """Reads a recipe.

    Raises:
        UsageError: The file is missing, no TOML, or says something that cannot be.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        return TypeAdapter(Recipe).validate_python(content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the recipe"
        raise UsageError(f"{path}: {place}: {first['msg']}") from None
    except ValueError as error:
        raise UsageError(f"{path}: is no TOML file ({error})") from None

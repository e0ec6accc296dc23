"""Reads training recipes: TOML files, validated with pydantic.

A recipe is a dataclass. This module has the types of the fields that recipes share. Each recipe
sets `__pydantic_config__` to `STRICT`, which rejects unknown fields and infinite numbers or NaN.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from image_gender_classifier.errors import UsageError
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.common.split import HELD_OUT_FRACTION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SEEDS = 2**32  # number of seeds that NumPy accepts
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS, strict=True)]
HeldOut = Annotated[float, Field(ge=HELD_OUT_FRACTION, lt=1, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True)]
NonNegative = Annotated[float, Field(ge=0, strict=True)]
Fraction = Annotated[float, Field(ge=0, le=1, strict=True)]
FractionBelowOne = Annotated[float, Field(ge=0, lt=1, strict=True)]

_Recipe = TypeVar("_Recipe")


def read_recipe_file(path: Path, kind: type[_Recipe], base: Path | None = None) -> _Recipe:
    """Reads and validates a training recipe.

    Args:
        path: The TOML file.
        kind: Dataclass of the recipe, such as `DetectorRecipe`.
        base: A recipe whose values hold where `path` has none, also inside tables; None if `path`
            is complete.

    Returns:
        The recipe as an instance of `kind`.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has a missing or invalid field.
    """
    try:
        content = tomllib.loads(read_document(path).decode("utf-8"))
        if base is not None:
            content = _merge(tomllib.loads(base.read_text("utf-8")), content)
        return TypeAdapter(kind).validate_python(content)
    except OSError as error:
        raise UsageError(
            f"{path}: the recipe cannot be read ({error.strerror}); check --recipe"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the recipe"
        raise UsageError(f"{path}: {field}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: the recipe is not valid TOML ({error})") from None


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `base` with the values of `changes`; merges tables, replaces everything else."""
    merged = {**base, **changes}
    for name, value in base.items():
        changed = changes.get(name)
        if isinstance(value, dict) and isinstance(changed, dict):
            merged[name] = _merge(value, changed)
    return merged


def check_warmup(warmup_epochs: float, epochs: int) -> None:
    """Checks that the learning rate's warm-up is shorter than the training.

    Raises:
        ValueError: `warmup_epochs` is not less than `epochs`.
    """
    if warmup_epochs >= epochs:
        raise ValueError(
            f"warmup_epochs = {warmup_epochs:g} must be less than the number of epochs, {epochs}"
        )

"""Splits samples into training and held-out ones, by a hash of each name.

Adding or removing samples does not move others between the splits, so held-out pictures never
leak into training.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from image_gender_classifier.manifest.schema import (
    FaceDetectorEntry,
    FaceRefinerEntry,
    ModelEntry,
)

HELD_OUT_FRACTION = 0.05
"""Fraction of the pictures that trainings hold out, unless their recipe has another."""


@dataclass(frozen=True, slots=True)
class SplitPositions:
    """The split of N samples into training and held-out samples, as indices in ascending order.

    Attributes:
        training: Indices of the training samples; may be empty.
        held_out: Indices of the held-out samples; may be empty.
    """

    training: tuple[int, ...]
    held_out: tuple[int, ...]


def split_names(names: Iterable[str], fraction: float) -> SplitPositions:
    """Splits samples into training and held-out samples by a hash of their names.

    Args:
        names: Names of the samples.
        fraction: Fraction to hold out, 0 to 1.

    Returns:
        Indices of the training and held-out samples in `names`.

    Raises:
        ValueError: `fraction` is not between 0 and 1.
    """
    held = [is_held_out(name, fraction) for name in names]
    return SplitPositions(
        tuple(position for position, out in enumerate(held) if not out),
        tuple(position for position, out in enumerate(held) if out),
    )


def is_held_out(name: str, fraction: float = HELD_OUT_FRACTION) -> bool:
    """Returns whether a sample is held out of training.

    The result depends only on the arguments. A larger fraction holds out a superset of the samples
    that a smaller fraction holds out.

    Args:
        name: Name of the sample within its data set. Unicode normal forms of a name (macOS uses
            NFD) are equivalent.
        fraction: Fraction of the names to hold out, 0 to 1.

    Returns:
        True for about `fraction` of all names.

    Raises:
        ValueError: `fraction` is not between 0 and 1.
    """
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"fraction is {fraction}, expected 0 to 1")
    # 48 bits are exact in a float.
    return int.from_bytes(_hash_name(name)[:6], "big") / 2**48 < fraction


def choose_fold(name: str, folds: int) -> int:
    """Returns the fold of a sample in a cross-validation, 0 to `folds` - 1.

    Depends on the arguments only, and not on whether the sample is held out.
    """
    return int.from_bytes(_hash_name(name)[6:12], "big") % folds


def _hash_name(name: str) -> bytes:
    # surrogatepass: Python decodes file names that are not UTF-8 to lone surrogates.
    normalised = unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass")
    return hashlib.sha256(normalised).digest()


def held_out_fraction(entry: ModelEntry | FaceDetectorEntry | FaceRefinerEntry) -> float:
    """Returns the fraction of the samples that the training of a model held out.

    Args:
        entry: Manifest entry of the model; `HELD_OUT_FRACTION` if it does not say.
    """
    recipe = entry.trained.get("recipe")
    fraction = recipe.get("held_out") if isinstance(recipe, Mapping) else None
    return fraction if isinstance(fraction, float) and 0 < fraction < 1 else HELD_OUT_FRACTION

"""Divides samples into those that train and those held out, by their names alone.

A shuffled split changes for every sample when one picture is added, so that figures before and
after cannot be compared and held-out pictures slip into training. Hashing each name by itself
leaves every other sample where it was.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

HELD_OUT_FRACTION = 0.05


@dataclass(frozen=True, slots=True)
class Parts:
    """Positions of the samples to learn from and of those held out."""

    training: tuple[int, ...]
    held_out: tuple[int, ...]


def divide(names: Iterable[str], fraction: float) -> Parts:
    """Divides samples by their names."""
    held = [is_held_out(name, fraction) for name in names]
    return Parts(
        tuple(position for position, out in enumerate(held) if not out),
        tuple(position for position, out in enumerate(held) if out),
    )


def is_held_out(name: str, fraction: float = HELD_OUT_FRACTION) -> bool:
    """Says whether the sample of this name is kept out of training.

    The answer depends on nothing but its arguments: neither on the other samples, their order,
    the platform nor Python's hash seed. A larger fraction holds out all that a smaller one does.

    Args:
        name: The sample's name within its data set. Unicode spellings of the same name (macOS
            writes accents apart from their letters) count as one.
        fraction: Share of all names to hold out, 0 (none) to 1 (all).

    Returns:
        True for about `fraction` of all names.

    Raises:
        ValueError: `fraction` is not between 0 and 1.
    """
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"fraction is {fraction}, expected 0 to 1")
    # surrogatepass: names of files that are not valid UTF-8 reach Python with lone surrogates.
    spelled = unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(spelled).digest()
    return int.from_bytes(digest[:6], "big") / 2**48 < fraction  # 48 bits are exact in a float

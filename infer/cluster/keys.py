"""Keys of rows: hashes in sorted arrays, which need 16 bytes a row and are shared by all actors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.bytes_]
"""Keys of rows; an array of `S16`."""

_BYTES = 16
_TYPE = f"S{_BYTES}"


def make_keys(rows: Iterable[tuple[str, str]]) -> Keys:
    """Returns the keys of rows.

    Args:
        rows: The path of each row and its `run`; an empty `run` gives a key of the path alone.
    """
    digests = (
        hashlib.blake2b(f"{path}\0{run}".encode(), digest_size=_BYTES).digest()
        for path, run in rows
    )
    return load_keys(b"".join(digests))


def load_keys(data: bytes) -> Keys:
    """Returns the keys that `Keys.tobytes` has stored."""
    return np.frombuffer(data, _TYPE)


def sort_keys(groups: Iterable[Keys]) -> Keys:
    """Returns the keys of all groups in one sorted array."""
    keys = np.concatenate([np.empty(0, _TYPE), *groups])
    keys.sort()  # in place: there may be many
    return keys


def contains(ordered: Keys, keys: Keys) -> NDArray[np.bool_]:
    """Returns for each key whether it is among the sorted ones."""
    if not len(ordered):
        return np.zeros(len(keys), bool)
    places = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.asarray(ordered[places] == keys)

"""Opens the `.keras` files of face networks together with their manifest entries."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.train.common.keras_runtime import KerasRuntime, open_keras_model
from image_gender_classifier.train.common.listed_networks import Entry, NetworkKind, find_listed


def open_listed_keras(path: Path, kind: NetworkKind[Entry]) -> tuple[KerasRuntime, Entry]:
    """Opens a `.keras` file; returns the runtime and the manifest entry.

    Raises:
        ModelError: See `find_listed`.
    """
    entry = find_listed(path, kind)
    return open_keras_model(path), entry

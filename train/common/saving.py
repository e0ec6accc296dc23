"""Saves a trained Keras network and adds its entry to the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from image_gender_classifier import manifest
from image_gender_classifier.manifest.schema import NetworkEntry
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common.checkpoint import save_model_atomic
from image_gender_classifier.train.common.model_folder import dump_updated_manifest


def save_model(
    model: keras.Model, path: Path, *, spdx: str, trained: Mapping[str, Any]
) -> dict[str, Any]:
    """Saves a trained network as a `.keras` file, atomically.

    Args:
        model: A model with an input of float32 RGB pixels, N x H x W x C.
        path: The `.keras` file to write or replace.
        spdx: SPDX licence expression.
        trained: Command, data and recipe of the training, for the manifest.

    Returns:
        The manifest fields that all networks have in common, as arguments of their entries.

    Raises:
        OutputError: The file cannot be written.
    """
    save_model_atomic(model, path)
    data = path.read_bytes()
    return {
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "input_shape": tuple(int(side) for side in model.input_shape[1:]),
        "input_dtype": "uint8",
        "colour_order": "RGB",
        "license": spdx,
        "trained": {**trained, "tensorflow": tf.__version__, "keras": keras.__version__},
    }


def add_to_manifest(entry: NetworkEntry, folder: Path) -> None:
    """Adds an entry to a folder's manifest, or replaces the entry of the same file; atomic.

    Args:
        entry: The entry.
        folder: The existing model folder; the manifest is created if missing.

    Raises:
        ModelError: The folder's manifest cannot be read or is corrupt.
        OutputError: The manifest cannot be written.
    """
    write_atomic(folder / manifest.NAME, dump_updated_manifest(folder, [entry]))

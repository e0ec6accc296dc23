"""Atomic saving of Keras models."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import keras

from image_gender_classifier.errors import OutputError


def save_model_atomic(model: keras.Model, path: Path) -> None:
    """Saves a Keras model atomically: writes a temporary file, syncs it and renames it.

    Args:
        model: The model; if it is compiled, its optimiser is saved too.
        path: The `.keras` file to write or replace, in an existing folder.

    Raises:
        OutputError: The file cannot be written.
    """
    partial = path.with_name(f"partial_{path.name}")  # Keras chooses the format by extension
    try:
        model.save(partial)
        with partial.open("rb+") as file:  # a power cut must not leave an empty file
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:  # including KeyboardInterrupt
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise OutputError(
                f"{path}: the model cannot be saved ({error.strerror or error}); check permissions "
                "and free space"
            ) from None
        raise

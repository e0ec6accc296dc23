"""A Keras model's file, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import keras

from image_gender_classifier.errors import OutputError


def save_whole(model: keras.Model, path: Path) -> None:
    """Saves a model so that nobody ever sees half of it: aside first, then renamed.

    Args:
        model: The model.
        path: The `.keras` file to write or replace, in an existing folder.

    Raises:
        OutputError: It cannot be written.
    """
    partial = path.with_name(f"partial_{path.name}")  # Keras tells the format by the ending
    try:
        model.save(partial)
        with partial.open("rb+") as file:  # an epoch is dear: a power cut must not leave it empty
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:  # an interruption must not leave a part behind either
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
        raise

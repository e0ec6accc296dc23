"""Opens a network's file that the manifest knows."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import NetworkEntry
from image_gender_classifier.runtimes import Runtime, RuntimeName, open_model, rounds_once


def open_network(name: RuntimeName, folder: Path, entry: NetworkEntry) -> Runtime:
    """Opens a network in the form whose answers are the same with every runtime.

    Args:
        name: The runtime, which must fit the file.
        folder: Where the file lies.
        entry: Its manifest entry.

    Raises:
        RuntimeMissing: The runtime is not installed or cannot be loaded.
        ModelError: The file is missing or damaged, or the runtime cannot use it.
    """
    exact = entry if entry.in_float is None or rounds_once(name) else entry.in_float
    if exact is not entry and not (folder / exact.file).is_file():
        raise ModelError(
            f"{folder / exact.file}: there is no such file, and tflite-runtime runs it in place of "
            f"{entry.file}; install the package again, or copy it from where your model is from"
        )
    return open_model(name, manifest.read_verified(folder, exact))

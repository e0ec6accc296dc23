"""Opens the network of a manifest entry with a runtime."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import NetworkEntry, VerifiedFile
from image_gender_classifier.runtimes import Runtime, load_module, open_model, rounds_once
from image_gender_classifier.runtimes.per_process import PerProcessRuntime
from image_gender_classifier.runtimes.registry import RUNTIMES

# Networks in use, by runtime, path and hash: the gender network has two users.
_opened: WeakValueDictionary[tuple[str, Path, str], Runtime] = WeakValueDictionary()


def open_network(name: str, folder: Path, entry: NetworkEntry) -> Runtime:
    """Opens the network of a manifest entry and returns it; a network in use is not opened again.

    Opens the float32 variant, if there is one, with a runtime whose int8 kernels do not round once,
    so that the outputs are the same on every runtime. If the runtime is not fork-safe, each process
    opens the network at its first call of `run`.

    Args:
        name: Name of a runtime that runs the format of the file.
        folder: Folder of the model files.
        entry: Manifest entry of the network.

    Raises:
        RuntimeMissing: The runtime is not installed, cannot be loaded or does not work here.
        ModelError: The file is missing, does not match the hash in the manifest, or is not accepted
            by the runtime.
    """
    file = entry if entry.float32_variant is None or rounds_once(name) else entry.float32_variant
    if file is not entry and not (folder / file.file).is_file():
        raise ModelError(
            f"{folder / file.file}: no such file; tflite-runtime needs it instead of {entry.file}, "
            "so reinstall the package, or copy the file from the folder that the model comes from"
        )
    key = (name, folder / file.file, file.sha256)
    network = _opened.get(key)
    if network is None:
        network = _open_verified(name, folder, entry, file)
        _opened[key] = network
    return network


def _open_verified(name: str, folder: Path, entry: NetworkEntry, file: VerifiedFile) -> Runtime:
    """Reads the file of an entry, compares it with its hash and opens it; see `open_network`."""
    data = manifest.read_verified(folder, file)
    if RUNTIMES[name].fork_safe:
        return _open_named(name, folder / file.file, data)
    load_module(name)  # fails now if the library is missing, so that `auto` tries the next runtime
    return PerProcessRuntime(
        lambda: _open_named(name, folder / file.file, data),
        file.file,
        entry.input_shape,
        entry.input_dtype,
    )


def _open_named(name: str, path: Path, data: bytes) -> Runtime:
    """Opens a model like `open_model`, and prefixes the message of a `ModelError` with the path."""
    try:
        return open_model(name, data)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error.__cause__


def require_square_input(runtime: Runtime, entry: NetworkEntry) -> int:
    """Returns the side of a network's square input in pixels.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.

    Raises:
        ModelError: The input is not that of the entry, or not square uint8 RGB pictures.
    """
    size = entry.input_shape[0]
    signature = (runtime.input_shape, runtime.input_dtype, entry.input_shape)
    if (*signature, entry.colour_order) != ((size, size, 3), "uint8", (size, size, 3), "RGB"):
        raise ModelError(
            f"{entry.file}: the input is {runtime.input_dtype} {runtime.input_shape}, but "
            "square uint8 RGB pictures are required; reinstall the package"
        )
    return size

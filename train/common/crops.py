"""The crop cache: cuts each sample's crop once and stores all crops in one file.

Training reads each crop dozens of times. The file is a memory-mapped `.npy` array.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.cutting import CutCrop, WithoutCrop
from image_gender_classifier.train.datasets.sample import Sample


@dataclass(frozen=True, slots=True)
class CropSet:
    """Crops and their samples, in the same order.

    Attributes:
        samples: The samples that have a crop.
        crops: uint8 RGB, N x S x S x 3, usually memory-mapped.
        unreadable: Names of the samples whose picture cannot be decoded.
        no_face: Names of the samples in whose picture no face was found.
    """

    samples: tuple[Sample, ...]
    crops: npt.NDArray[np.uint8]
    unreadable: tuple[str, ...]
    no_face: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The samples' names."""
        return [sample.name for sample in self.samples]


def load_or_cut(
    samples: Sequence[Sample], size: int, cut: CutCrop, cut_name: str, folder: Path
) -> CropSet:
    """Cuts the crops of samples, or reads them from the cache.

    Args:
        samples: The labelled pictures.
        size: Side of the crops in pixels.
        cut: Cuts one crop.
        cut_name: Cache key of `cut`; another key or other samples make a new cache.
        folder: Existing folder for the cache.

    Raises:
        OutputError: The cache cannot be written.
    """
    key = _key(samples, size, cut_name)
    array_path = folder / f"crops_{key}.npy"
    index_path = folder / f"crops_{key}.json"
    cached = _load(samples, size, array_path, index_path)
    if cached is not None:
        return cached
    # Otherwise an interruption could leave an old index beside a new array.
    index_path.unlink(missing_ok=True)
    without = _cut_all(samples, size, cut, _reserved(array_path, (len(samples), size, size, 3)))
    unreadable = [name for name, _ in without.unreadable]
    index = {"unreadable": unreadable, "no_face": without.no_face}
    write_whole(index_path, json.dumps(index).encode())
    filled = _load(samples, size, array_path, index_path)
    if filled is None:
        raise OutputError(f"{array_path}: cannot be read back")
    return filled


def _load(
    samples: Sequence[Sample], size: int, array_path: Path, index_path: Path
) -> CropSet | None:
    """Reads the cache; gives None if it is incomplete."""
    try:
        index = json.loads(index_path.read_text("utf-8"))
        unreadable, no_face = tuple(index["unreadable"]), tuple(index["no_face"])
        left_out = {*unreadable, *no_face}
        crops = np.load(array_path, mmap_mode="r")
    except (OSError, ValueError, LookupError, TypeError, EOFError):
        return None
    kept = tuple(sample for sample in samples if sample.name not in left_out)
    if crops.shape != (len(samples), size, size, 3) or crops.dtype != np.uint8:
        return None
    return CropSet(kept, crops[: len(kept)], unreadable, no_face)


def _reserved(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Creates an array in a file and reserves its disk space.

    Raises:
        OutputError: The file cannot be created or the disk is full.
    """
    try:
        crops = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        if hasattr(os, "posix_fallocate"):
            # Without it, a full disk raises SIGBUS, which ends the process.
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    except (OSError, ValueError) as error:  # ValueError: the size is out of range
        why = error.strerror if isinstance(error, OSError) else str(error)
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written ({why})") from None
    return crops


def _cut_all(
    samples: Sequence[Sample], size: int, cut: CutCrop, crops: npt.NDArray[np.uint8]
) -> WithoutCrop:
    """Writes the crops to the array; gives the samples without one."""
    without = WithoutCrop()
    found = cutting.crops(samples, cut, size, without, "cutting crops")
    for position, (_, crop) in enumerate(found):
        crops[position] = crop
    if isinstance(crops, np.memmap):
        crops.flush()
    return without


def _key(samples: Sequence[Sample], size: int, cut_name: str) -> str:
    digest = hashlib.sha256(f"{size} {cut_name}".encode())
    for sample in samples:
        state = sample.path.stat()
        picture = f"\0{sample.name}\0{sample.path}\0{state.st_size}\0{state.st_mtime_ns}"
        digest.update(picture.encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]

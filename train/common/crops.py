"""Crop cache: the crops of all samples in one memory-mapped `.npy` file.

Training reads each crop dozens of times, but decodes and crops each picture only once.
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
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.cutting import CutCrop, SkippedSamples
from image_gender_classifier.train.datasets.sample import Sample


@dataclass(frozen=True, slots=True)
class CropSet:
    """Face crops and their samples, in the same order.

    Attributes:
        samples: The N samples that have a crop.
        crops: uint8 RGB, N x S x S x 3, usually memory-mapped.
        unreadable: Names of the samples that cannot be decoded.
        no_face: Names of the samples without a detected face.
    """

    samples: tuple[Sample, ...]
    crops: npt.NDArray[np.uint8]
    unreadable: tuple[str, ...]
    no_face: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Names of the samples that have a crop."""
        return [sample.name for sample in self.samples]


FACE_SIDE = 128
"""Side in pixels of face crops for scenes and composites, which rarely show larger faces."""


def load_or_cut_crops(
    samples: Sequence[Sample], size: int, cut: CutCrop, cut_name: str, folder: Path
) -> CropSet:
    """Reads the crops of samples from the cache, or cuts and caches them.

    Args:
        samples: The labelled pictures.
        size: Side of the crops in pixels.
        cut: Function that cuts the crop of one picture.
        cut_name: Cache key of `cut`. The cache is also keyed by `size` and by the samples' names,
            paths, boxes, file sizes and modification times (mtime).
        folder: Existing folder for the cache.

    Returns:
        The crops, memory-mapped and read-only, in the order of `samples`.

    Raises:
        OutputError: The cache cannot be written.
        OSError: A picture file does not exist or cannot be accessed, or an invalid index of the
            cache cannot be deleted.
        ModelError: A model of the detector cannot be run.
    """
    key = _hash_samples(samples, size, cut_name)
    array_path = folder / f"crops_{key}.npy"
    index_path = folder / f"crops_{key}.json"
    cached = _load_cache(samples, size, array_path, index_path)
    if cached is not None:
        return cached
    # Otherwise an interruption could leave an old index beside a new array.
    index_path.unlink(missing_ok=True)
    skipped = _cut_all(samples, size, cut, _create_array(array_path, (len(samples), size, size, 3)))
    unreadable = [name for name, _ in skipped.unreadable]
    index = {"unreadable": unreadable, "no_face": skipped.no_face}
    write_atomic(index_path, json.dumps(index).encode())
    filled = _load_cache(samples, size, array_path, index_path)
    if filled is None:
        raise OutputError(
            f"{array_path}: the new crop cache cannot be read; delete it and try again"
        )
    return filled


def _load_cache(
    samples: Sequence[Sample], size: int, array_path: Path, index_path: Path
) -> CropSet | None:
    """Opens the cached crops (memory-mapped); returns None if a file is missing or invalid.

    The `.npy` file has a row for each sample; the crops fill the first rows.
    """
    try:
        index = json.loads(index_path.read_text("utf-8"))
        unreadable, no_face = tuple(index["unreadable"]), tuple(index["no_face"])
        skipped = {*unreadable, *no_face}
        crops = np.load(array_path, mmap_mode="r")
    except (OSError, ValueError, LookupError, TypeError, EOFError):
        return None
    kept = tuple(sample for sample in samples if sample.name not in skipped)
    if crops.shape != (len(samples), size, size, 3) or crops.dtype != np.uint8:
        return None
    return CropSet(kept, crops[: len(kept)], unreadable, no_face)


def _create_array(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Creates a memory-mapped `.npy` file of uint8 and allocates its disk space.

    Args:
        path: The file; an existing one is replaced.
        shape: Shape of the array.

    Returns:
        The array, writable, filled with 0.

    Raises:
        OutputError: The file cannot be created, or the disk is full. The file is removed.
    """
    try:
        crops = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        if hasattr(os, "posix_fallocate"):
            # Otherwise, a write to the array raises SIGBUS when the disk is full.
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    except (OSError, ValueError) as error:  # ValueError: the size is out of range
        why = error.strerror if isinstance(error, OSError) else str(error)
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: the crop cache cannot be written ({why}); check permissions and free space"
        ) from None
    return crops


def _cut_all(
    samples: Sequence[Sample], size: int, cut: CutCrop, crops: npt.NDArray[np.uint8]
) -> SkippedSamples:
    """Cuts the crop of each sample into `crops`, one after the other from row 0.

    A sample without a crop leaves no gap, so the last rows can stay unused.

    Returns:
        The samples that have no crop.
    """
    skipped = SkippedSamples()
    cropped = cutting.iterate_crops(samples, cut, size, skipped, "cutting crops")
    for position, (_, crop) in enumerate(cropped):
        crops[position] = crop
    if isinstance(crops, np.memmap):
        crops.flush()
    return skipped


def _hash_samples(samples: Sequence[Sample], size: int, cut_name: str) -> str:
    """Returns the cache key of crops, 16 hexadecimal digits.

    Raises:
        OSError: A picture file does not exist or cannot be accessed.
    """
    digest = hashlib.sha256(f"{size} {cut_name}".encode())
    for sample in samples:
        state = sample.path.stat()
        picture = f"\0{sample.name}\0{sample.path}\0{state.st_size}\0{state.st_mtime_ns}"
        if sample.box is not None:
            picture += f"\0{sample.box}"
        digest.update(picture.encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]

"""Cuts every sample's crop once and keeps them all in one file.

Training reads each crop dozens of times; decoding and searching a face only once is what makes
that affordable. The file is a plain `.npy` array that is mapped, not loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.faces import Pixels
from image_gender_classifier.train.datasets.sample import Sample

CutCrop = Callable[[Path, int], Pixels | None]
"""From a picture's path and the crop's side to its crop, or None where there is no face."""


@dataclass(frozen=True, slots=True)
class CropSet:
    """Crops and their samples, in the same order.

    Attributes:
        samples: The samples that have a crop.
        crops: uint8 RGB, N x S x S x 3, usually mapped from a file.
        unreadable: Names of the samples whose picture cannot be decoded.
        no_face: Names of the samples in whose picture no face was found.
    """

    samples: tuple[Sample, ...]
    crops: npt.NDArray[np.uint8]
    unreadable: tuple[str, ...]
    no_face: tuple[str, ...]


def load_or_cut(
    samples: Sequence[Sample], size: int, cut: CutCrop, cut_name: str, folder: Path
) -> CropSet:
    """Gives the crops of samples, from the cache in a folder where it has been filled before.

    Args:
        samples: What to cut, in the order wanted.
        size: Side of the crops in pixels.
        cut: How a crop is made.
        cut_name: Name of that way; another way or another list of samples makes a new cache.
        folder: Existing folder for the cache.
    """
    key = _key(samples, size, cut_name)
    array_path = folder / f"crops_{key}.npy"
    index_path = folder / f"crops_{key}.json"
    if not index_path.exists():
        index = _cut_all(samples, size, cut, array_path)
        index_path.write_text(json.dumps(index))
    index = json.loads(index_path.read_text())
    left_out = {*index["unreadable"], *index["no_face"]}
    kept = tuple(sample for sample in samples if sample.name not in left_out)
    crops = np.load(array_path, mmap_mode="r")[: len(kept)]
    return CropSet(kept, crops, tuple(index["unreadable"]), tuple(index["no_face"]))


def _cut_all(
    samples: Sequence[Sample], size: int, cut: CutCrop, array_path: Path
) -> dict[str, list[str]]:
    shape = (len(samples), size, size, 3)
    crops = np.lib.format.open_memmap(array_path, mode="w+", dtype=np.uint8, shape=shape)
    left_out: dict[str, list[str]] = {"unreadable": [], "no_face": []}
    count = 0
    for sample in tqdm(samples, desc="cutting crops", unit="picture", disable=None):
        try:
            crop = cut(sample.path, size)
        except UnreadablePicture:
            left_out["unreadable"].append(sample.name)
            continue
        if crop is None:
            left_out["no_face"].append(sample.name)
            continue
        crops[count] = crop
        count += 1
    crops.flush()
    return left_out


def _key(samples: Sequence[Sample], size: int, cut_name: str) -> str:
    digest = hashlib.sha256(f"{size} {cut_name}".encode())
    for sample in samples:
        state = sample.path.stat()
        digest.update(
            f"\0{sample.path}\0{state.st_size}\0{state.st_mtime_ns}".encode(
                errors="surrogateescape"
            )
        )
    return digest.hexdigest()[:16]

"""Readers of labelled pictures, one module per layout, all with the same `Sample`.

A new layout is one module and one branch of `read`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import fairface, folders, user_id, utkface
from image_gender_classifier.train.datasets.reading import DataError, LeftOut, Reading
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.datasets.user_id import LabelOptions

__all__ = [
    "DataError",
    "LabelOptions",
    "Layout",
    "LeftOut",
    "Reading",
    "Sample",
    "Split",
    "read",
]

Layout = Literal["fairface", "utkface", "folders", "user-id"]
Split = Literal["train", "val", "all"]


def read(layout: Layout, root: Path, split: Split, labels: LabelOptions | None = None) -> Reading:
    """Reads the labelled pictures of a folder.

    Args:
        layout: The layout of pictures and labels.
        root: The data set's folder.
        split: The part to read. FairFace has its own split; in other layouts, `is_held_out`
            decides.
        labels: The label file and its columns; only for the layout "user-id".

    Returns:
        At least one sample, and the pictures left out of the whole data set.

    Raises:
        DataError: Labels or pictures are missing or wrong, or the part is empty.
        UsageError: `labels` does not match `layout`.
    """
    if layout == "user-id":
        if labels is None:
            raise UsageError("layout user-id: a label file is required")
        return _part(root, user_id.read(root, labels), split)
    if labels is not None:
        raise UsageError(f"layout {layout}: takes no label file; only user-id does")
    if layout == "fairface":
        return fairface.read(root, split)
    if layout == "utkface":
        return _part(root, utkface.read(root), split)
    return _part(root, folders.read(root), split)


def _part(root: Path, whole: Reading, split: Split) -> Reading:
    """Selects the samples of one part, for data sets without their own split."""
    if split == "all":
        return whole
    kept = tuple(sample for sample in whole.samples if is_held_out(sample.name) == (split == "val"))
    if not kept:
        raise DataError(
            f"{root}: none of its {len(whole.samples):,} samples is in the part {split!r}; use "
            "a larger data set or all of it"
        )
    return replace(whole, samples=kept)

"""Readers for data sets of labelled pictures: one module per layout; each returns a `Reading`.

To add a layout, write a module and add a branch to `read_data_set`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.split import HELD_OUT_FRACTION, is_held_out
from image_gender_classifier.train.datasets import fairface, folders, user_id, utkface
from image_gender_classifier.train.datasets.genders import WORDS, GenderWords
from image_gender_classifier.train.datasets.reading import DataError, Reading, SkippedItems
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.datasets.user_id import LabelOptions

__all__ = [
    "DataError",
    "LabelOptions",
    "Layout",
    "Reading",
    "Sample",
    "SkippedItems",
    "Split",
    "read_data_set",
]

Layout = Literal["fairface", "utkface", "folders", "user-id"]
Split = Literal["train", "val", "all"]


def read_data_set(
    layout: Layout,
    root: Path,
    split: Split,
    labels: LabelOptions | None = None,
    *,
    words: GenderWords = WORDS,
    held_out: float = HELD_OUT_FRACTION,
) -> Reading:
    """Reads the labelled pictures of a data set.

    Args:
        layout: How pictures and labels are stored.
        root: Folder of the data set.
        split: The split to read. FairFace defines its own; in other layouts, "val" consists of the
            samples for which `is_held_out` is true and "train" of the others.
        labels: The label file and its columns; required for the layout "user-id", otherwise None.
        words: Words for the genders, in the layouts "folders" and "user-id".
        held_out: Fraction of the samples in "val", for layouts without splits of their own.

    Returns:
        At least one sample of the split, and the items that were skipped while reading.

    Raises:
        DataError: Labels or pictures are missing or invalid, or the split is empty.
        UsageError: `labels` is None for the layout "user-id", or given for another layout.
    """
    if layout == "user-id":
        if labels is None:
            raise UsageError("--layout user-id requires a label file (--labels)")
        reading = user_id.read_user_id_pictures(root, labels, words)
        return _select_split(root, reading, split, held_out)
    if labels is not None:
        raise UsageError(f"--labels can only be used with --layout user-id, not {layout}")
    if layout == "fairface":
        return fairface.read_fairface(root, split)
    if layout == "utkface":
        return _select_split(root, utkface.read_utkface(root), split, held_out)
    return _select_split(root, folders.read_gender_folders(root, words), split, held_out)


def _select_split(root: Path, whole: Reading, split: Split, fraction: float) -> Reading:
    """Selects the samples of one split, for data sets that do not define splits.

    Args:
        root: Folder of the data set, for the error message.
        whole: All samples.
        split: The split to select.
        fraction: Fraction of the samples in "val".

    Raises:
        DataError: The split is empty.
    """
    if split == "all":
        return whole
    wanted = split == "val"
    kept = tuple(sample for sample in whole.samples if is_held_out(sample.name, fraction) == wanted)
    if not kept:
        raise DataError(
            f"{root}: no sample is in the split {split!r} (all splits: {len(whole.samples):,}); "
            "add pictures or use --split all"
        )
    return replace(whole, samples=kept)

"""The cache of crops: filled once, never mixed up, and each crop with its own sample."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from image_gender_classifier import manifest
from image_gender_classifier.errors import OutputError, Unfinished, UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.common import detector_option
from image_gender_classifier.train.common.crops import CropSet, load_or_cut_crops
from image_gender_classifier.train.datasets.sample import Sample


class Cutter:
    """Cuts a plain crop whose level is the number in the picture's name; counts its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, sample: Sample, size: int) -> Pixels | None:
        path = sample.path
        self.calls.append(path.stem)
        if path.stem.startswith("bad"):
            raise UnreadablePicture("damaged")
        if path.stem.startswith("cat"):
            return None
        return np.full((size, size, 3), int(path.stem), np.uint8)


@pytest.fixture
def cutter() -> Cutter:
    return Cutter()


def make_samples(folder: Path, *names: str) -> list[Sample]:
    samples = []
    for name in names:
        path = folder / f"{name}.png"
        path.write_bytes(os.fsencode(name))
        samples.append(Sample(f"n{name}", path, "female"))
    return samples


def levels(crop_set: CropSet) -> list[int]:
    return [int(crop[0, 0, 0]) for crop in crop_set.crops]


def test_crops_have_the_order_of_their_samples(tmp_path: Path, cutter: Cutter) -> None:
    samples = make_samples(tmp_path, "7", "3", "250", "4")
    crop_set = load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
    assert crop_set.samples == tuple(samples)
    assert levels(crop_set) == [7, 3, 250, 4]
    assert crop_set.crops.shape == (4, 8, 8, 3)
    assert crop_set.crops.dtype == np.uint8
    assert (crop_set.unreadable, crop_set.no_face) == ((), ())


def test_pictures_without_a_crop_are_skipped_and_named(tmp_path: Path, cutter: Cutter) -> None:
    samples = make_samples(tmp_path, "bad1", "7", "cat1", "cat2", "3", "bad2", "9")
    for _ in range(2):  # as it is cut and as it is read from the cache
        crop_set = load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
        assert [sample.name for sample in crop_set.samples] == ["n7", "n3", "n9"]
        assert levels(crop_set) == [7, 3, 9]
        assert crop_set.unreadable == ("nbad1", "nbad2")
        assert crop_set.no_face == ("ncat1", "ncat2")
    assert len(cutter.calls) == len(samples)


def test_a_picture_that_cannot_be_read_at_present_is_named(tmp_path: Path) -> None:
    def cut(sample: Sample, _: int) -> Pixels | None:
        raise Unfinished("the file cannot be read at present")

    samples = make_samples(tmp_path, "7")
    with pytest.raises(Unfinished, match=r"/7\.png: the file cannot be read at present"):
        load_or_cut_crops(samples, 8, cut, "none", tmp_path)


def test_without_any_crop_the_set_is_empty(tmp_path: Path, cutter: Cutter) -> None:
    crop_set = load_or_cut_crops(make_samples(tmp_path, "cat"), 8, cutter, "none", tmp_path)
    assert crop_set.samples == ()
    assert crop_set.crops.shape == (0, 8, 8, 3)


def test_stored_crops_are_read_only(tmp_path: Path, cutter: Cutter) -> None:
    crop_set = load_or_cut_crops(make_samples(tmp_path, "7"), 8, cutter, "none", tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        crop_set.crops[0, 0, 0, 0] = 1


def test_another_detector_size_or_sample_list_is_cut_again(tmp_path: Path, cutter: Cutter) -> None:
    samples = make_samples(tmp_path, "7", "3", "4")

    def cut(samples: list[Sample], size: int, name: str) -> int:
        before = len(cutter.calls)
        crop_set = load_or_cut_crops(samples, size, cutter, name, tmp_path)
        assert crop_set.crops.shape == (len(samples), size, size, 3)
        return len(cutter.calls) - before

    assert cut(samples, 8, "none") == 3
    assert cut(samples, 8, "cascade") == 3
    assert cut(samples, 10, "none") == 3
    assert cut(samples[:2], 8, "none") == 2
    assert cut(samples[::-1], 8, "none") == 3
    assert cut(samples, 8, "none") == 0
    assert cut(samples, 8, "cascade") == 0


@pytest.mark.parametrize("change", ["content", "time"])
def test_a_changed_picture_is_cut_again(change: str, tmp_path: Path, cutter: Cutter) -> None:
    samples = make_samples(tmp_path, "7", "3")
    load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
    if change == "content":
        samples[0].path.write_bytes(b"longer than before")
    else:
        os.utime(samples[0].path, (1, 1))
    load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
    assert cutter.calls == ["7", "3"] * 2


def test_a_picture_with_another_name_is_cut_again(tmp_path: Path, cutter: Cutter) -> None:
    """Who is left out is kept by name."""
    (first, second) = make_samples(tmp_path, "cat1", "7")
    load_or_cut_crops([first, second], 8, cutter, "none", tmp_path)
    swapped = [replace(first, name=second.name), replace(second, name=first.name)]
    crop_set = load_or_cut_crops(swapped, 8, cutter, "none", tmp_path)
    assert crop_set.no_face == (second.name,)
    assert crop_set.samples == (swapped[1],)


def test_the_cache_key_contains_the_settings_of_the_detector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert detector_option.detector_cache_key("none") == "none"
    before = detector_option.detector_cache_key("cascade")
    assert before == detector_option.detector_cache_key("cascade")
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "WORKING_SIDE", 1)
        assert detector_option.detector_cache_key("cascade") != before
    models = manifest.load(shipped_models())
    first, *others = models.cascades
    changed = models._replace(cascades=(first._replace(min_neighbors=9), *others))
    monkeypatch.setattr(manifest, "load", lambda _: changed)
    assert detector_option.detector_cache_key("cascade") != before


@pytest.mark.parametrize("damage", ["index", "list", "fields", "no array", "array", "half array"])
def test_an_incomplete_cache_is_cut_again(damage: str, tmp_path: Path, cutter: Cutter) -> None:
    samples = make_samples(tmp_path, "7", "cat", "3")
    load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
    (array,), (index,) = tmp_path.glob("crops_*.npy"), tmp_path.glob("crops_*.json")
    damages: dict[str, Callable[[], object]] = {
        "index": lambda: index.write_text('{"unreadable": ['),
        "list": lambda: index.write_text("[]"),
        "fields": lambda: index.write_text("{}"),
        "no array": array.unlink,
        "array": lambda: array.write_bytes(b""),
        "half array": lambda: array.write_bytes(array.read_bytes()[:300]),
    }
    damages[damage]()
    crop_set = load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
    assert (levels(crop_set), crop_set.no_face) == ([7, 3], ("ncat",))
    assert cutter.calls == ["7", "cat", "3"] * 2


def test_an_interruption_invalidates_an_older_index(tmp_path: Path, cutter: Cutter) -> None:
    samples = make_samples(tmp_path, "7", "3")
    load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
    (array,) = tmp_path.glob("crops_*.npy")
    array.unlink()

    def interrupted(sample: Sample, size: int) -> Pixels | None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_or_cut_crops(samples, 8, interrupted, "none", tmp_path)
    assert levels(load_or_cut_crops(samples, 8, cutter, "none", tmp_path)) == [7, 3]


def test_an_interrupted_cutting_starts_again(tmp_path: Path) -> None:
    samples = make_samples(tmp_path, "7", "3", "4")
    cutter = Cutter()

    def interrupted(sample: Sample, size: int) -> Pixels | None:
        if sample.path.stem == "4":
            raise KeyboardInterrupt
        return np.full((size, size, 3), 99, np.uint8)

    with pytest.raises(KeyboardInterrupt):
        load_or_cut_crops(samples, 8, interrupted, "none", tmp_path)
    assert [path.suffix for path in tmp_path.glob("crops_*")] == [".npy"]
    assert levels(load_or_cut_crops(samples, 8, cutter, "none", tmp_path)) == [7, 3, 4]
    assert cutter.calls == ["7", "3", "4"]


def test_names_that_are_not_unicode_are_kept(tmp_path: Path, cutter: Cutter) -> None:
    path = tmp_path / "7.png"
    assert cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    samples = [Sample("\udcff", path, "male"), *make_samples(tmp_path, "cat\udcff", "8")]
    for _ in range(2):
        crop_set = load_or_cut_crops(samples, 8, cutter, "none", tmp_path)
        assert [sample.name for sample in crop_set.samples] == ["\udcff", "n8"]
        assert crop_set.no_face == ("ncat\udcff",)


def test_a_full_disk_is_reported_before_anything_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = make_samples(tmp_path, "7", "cat", "3")

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def cut(sample: Sample, size: int) -> Pixels | None:
        raise AssertionError("cut")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match="No space left"):
        load_or_cut_crops(samples, 64, cut, "none", tmp_path)
    assert not list(tmp_path.glob("crops_*"))

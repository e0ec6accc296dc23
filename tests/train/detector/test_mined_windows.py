"""Mined windows are searched for when it is time, kept, and the same after an interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.detector import network
from image_gender_classifier.train.detector.mined_windows import MinedWindows


@pytest.fixture(scope="module")
def credulous() -> keras.Model:
    """A network that sees faces everywhere."""
    keras.utils.set_random_seed(1)
    model = network.build_detector_network(network.SMALL, False, 64)
    layer = model.get_layer(network.HEAT)
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + 5])
    return model


@pytest.fixture
def backgrounds() -> list[Pixels]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (80, 100, 3), np.uint8) for _ in range(3)]


def test_the_first_search_is_in_the_configured_epoch(
    credulous: keras.Model, backgrounds: list[Pixels], tmp_path: Path
) -> None:
    mined = MinedWindows(tmp_path, credulous, backgrounds, 2)
    assert mined.of(0) == mined.of(1) == []
    assert not list(tmp_path.iterdir())
    windows = mined.of(2)
    assert {window.background for window in windows} == {0, 1, 2}
    assert len(set(windows)) == len(windows)


def test_a_resumed_run_reads_the_windows_from_the_file(
    credulous: keras.Model, backgrounds: list[Pixels], tmp_path: Path
) -> None:
    windows = MinedWindows(tmp_path, credulous, backgrounds, 2).of(2)
    file = (tmp_path / "mined.npy").read_bytes()
    again = MinedWindows(tmp_path, credulous, [], 2)  # a search would find nothing
    assert again.of(2) == again.of(3) == windows
    assert (tmp_path / "mined.npy").read_bytes() == file


def test_a_later_search_keeps_earlier_windows(
    credulous: keras.Model, backgrounds: list[Pixels], tmp_path: Path
) -> None:
    windows = MinedWindows(tmp_path, credulous, backgrounds, 2).of(2)
    assert MinedWindows(tmp_path, credulous, [], 2).of(4) == windows


def test_a_corrupt_file_is_an_error(
    credulous: keras.Model, backgrounds: list[Pixels], tmp_path: Path
) -> None:
    (tmp_path / "mined.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ModelError, match=r"mined\.npy"):
        MinedWindows(tmp_path, credulous, backgrounds, 1).of(1)

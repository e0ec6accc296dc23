"""A training small enough to be run many times: crops made here, a network of one block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample
from image_gender_classifier.train.gender.recipe import Recipe, load_gender_recipe


@pytest.fixture(scope="session", autouse=True)
def quick_start(few_pictures_tried: None) -> None:
    """Every training and evaluation begins by detecting faces in some pictures."""


@pytest.fixture(scope="module")
def eagerly() -> Iterator[None]:
    """Runs TensorFlow without graphs until the end of the module.

    Tracing them takes most of the time of so small a training. `test_train_cli` has tests that
    train and resume with graphs, as in use.
    """
    tf = pytest.importorskip("tensorflow")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def tiny_file() -> Path:
    """A recipe with a teacher and a student of one block each."""
    return Path(__file__).with_name("tiny.toml")


@pytest.fixture(scope="session")
def tiny_recipe(tiny_file: Path) -> Recipe:
    return load_gender_recipe(tiny_file)


@pytest.fixture(scope="session")
def tiny_crops(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    """Noise, bright for female and dark for male; one sample in five has no race."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(5)
    samples, crops = [], []
    for number in range(60):
        gender: BinaryGender = "female" if number % 2 else "male"
        groups = {} if number % 5 == 0 else {"race": ("Black", "Indian", "White")[number % 3]}
        samples.append(Sample(f"{number}.png", folder / f"{number}.png", gender, groups))
        crops.append(random.integers(0, 100, (40, 40, 3), np.uint8) + np.uint8(150 * (number % 2)))
    array = np.lib.format.open_memmap(folder / "crops.npy", "w+", np.uint8, (60, 40, 40, 3))
    array[:] = crops
    array.flush()
    return CropSet(tuple(samples), np.load(folder / "crops.npy", mmap_mode="r"), (), ())

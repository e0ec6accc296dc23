"""A trained model's manifest must describe the very file beside it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier import manifest
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.train.common import keras_runtime
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.split import is_held_out, split_names
from image_gender_classifier.train.gender import network, saving, start_model
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops
from image_gender_classifier.train.gender.recipe import Recipe


@pytest.fixture(scope="module")
def model(tiny_recipe: Recipe) -> keras.Model:
    keras.utils.set_random_seed(0)
    built = network.build_gender_network(tiny_recipe.student, {"race": 3}, pretrained=False, seed=0)
    return network.make_inference_classifier(built, tiny_recipe.student)


def held_out(crops: CropSet, recipe: Recipe) -> LabelledCrops:
    positions = split_names(crops.names, recipe.held_out).held_out
    return saving.select_crops(crops, positions, recipe.student.size)


@pytest.fixture
def save(model: keras.Model, tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path) -> Any:
    def with_record(trained: Mapping[str, Any]) -> ModelEntry:
        return saving.save_classifier(
            model, held_out(tiny_crops, tiny_recipe), tmp_path, "MIT", trained
        )

    return with_record


def test_the_entry_describes_the_file(save: Any, tmp_path: Path) -> None:
    entry = save({"command": "by hand"})
    data = (tmp_path / start_model.MODEL).read_bytes()
    assert (entry.sha256, entry.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (entry.input_shape, entry.input_dtype) == ((32, 32, 3), "uint8")
    assert (entry.positive, entry.negative, entry.license) == ("female", "male", "MIT")
    assert entry.trained == {
        "command": "by hand",
        "tensorflow": entry.trained["tensorflow"],
        "keras": keras.__version__,
    }
    assert manifest.load(tmp_path).models == {start_model.MODEL: entry}
    assert manifest.read_verified(tmp_path, entry) == data


def test_the_measured_accuracy_is_that_of_the_held_out_samples(
    save: Any, tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    entry = save({})
    labelled = held_out(tiny_crops, tiny_recipe)
    crops, female = labelled.crops, labelled.female
    names = [sample.name for sample in tiny_crops.samples if is_held_out(sample.name, 0.2)]
    assert crops.shape == (len(names), 32, 32, 3)
    genders = {sample.name: sample.gender for sample in tiny_crops.samples}
    assert female.tolist() == [genders[name] == "female" for name in names]
    classifier = keras_runtime.open_keras_classifier(tmp_path / start_model.MODEL)
    said = classifier.compute_probabilities(crops) >= 0.5
    accuracy = round(float(np.mean(said == female)), 4)
    assert entry.measured == {"held_out": {"n": len(names), "accuracy": accuracy}}


def test_too_few_held_out_crops_are_reported(save: Any, capsys: pytest.CaptureFixture[str]) -> None:
    entry = save({})
    assert (entry.calibration, entry.threshold) == (Calibration(), 0.5)
    shown = capsys.readouterr().out
    assert "probabilities are not calibrated: " in shown
    assert shown.count("\n") == 1


def test_other_entries_of_the_folder_are_kept(save: Any, tmp_path: Path) -> None:
    shutil.copy(shipped_models() / manifest.NAME, tmp_path)
    before = manifest.load(tmp_path)
    entry = save({})
    after = manifest.load(tmp_path)
    assert len(before.cascades) > 0
    assert after.cascades == before.cascades
    assert after.models == {**before.models, start_model.MODEL: entry}


def test_a_failed_save_keeps_the_former_model(
    save: Any, model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save({})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def half(path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save", half)
    with pytest.raises(KeyboardInterrupt):
        save({})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_saved_file_has_equal_outputs(save: Any, model: keras.Model, tmp_path: Path) -> None:
    save({})
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    classifier = keras_runtime.open_keras_classifier(tmp_path / start_model.MODEL)
    expected = np.asarray(model(crops.astype(np.float32)))[:, 0]
    assert classifier.compute_logits(crops) == pytest.approx(expected, abs=1e-5)


def test_a_recorded_command_may_contain_a_name_that_is_not_unicode(
    save: Any, tmp_path: Path
) -> None:
    """Such a folder given with --data must not lose the model after hours of training."""
    save({"command": "image-gender-train --data photos\udcff"})
    entry = manifest.load(tmp_path).models[start_model.MODEL]
    assert entry.trained["command"] == "image-gender-train --data photos?"

"""What has to hold for the classifier that fine-tuning starts from; no training is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from model_entries import write_manifest

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.train.gender.finetuning_recipe import (
    FineTuningRecipe,
    load_finetuning_recipe,
)
from image_gender_classifier.train.gender.start_model import (
    check_held_out,
    check_trained_classifier,
    find_start_model,
)


@pytest.fixture
def recipe() -> FineTuningRecipe:
    return load_finetuning_recipe()


def make_start(folder: Path, size: int = 96) -> Path:
    """A file that is no model, but listed as one: only its manifest is read."""
    folder.mkdir()
    path = folder / "gender.keras"
    path.write_bytes(b"weights")
    return write_manifest(path, size)


def test_the_shipped_model_is_the_default() -> None:
    assert find_start_model(None) == find_start_model("shipped")
    assert find_start_model(None).name == "gender.keras"
    assert find_start_model("old/gender.keras") == Path("old/gender.keras")


def test_a_listed_file_is_accepted(recipe: FineTuningRecipe, tmp_path: Path) -> None:
    path = make_start(tmp_path / "old")
    assert check_trained_classifier(path, recipe, tmp_path / "new") == manifest.find_model(path)


def test_missing_or_changed_files_are_named(recipe: FineTuningRecipe, tmp_path: Path) -> None:
    path = make_start(tmp_path / "old")
    out = tmp_path / "new"
    with pytest.raises(ModelError, match=r"none\.keras: no such file"):
        check_trained_classifier(path.with_name("none.keras"), recipe, out)
    path.write_bytes(b"others")
    with pytest.raises(ModelError, match="does not match the hash"):
        check_trained_classifier(path, recipe, out)
    (path.parent / "manifest.json").unlink()
    with pytest.raises(ModelError, match="keep the model next to its own"):
        check_trained_classifier(path, recipe, out)


def test_an_unfinished_training_is_refused(recipe: FineTuningRecipe, tmp_path: Path) -> None:
    path = make_start(tmp_path / "old")
    (path.parent / "run.json").write_text("{}")
    path.unlink()
    with pytest.raises(ModelError, match="the training stopped before it wrote the model"):
        check_trained_classifier(path, recipe, tmp_path / "new")


def test_the_original_is_not_replaced(recipe: FineTuningRecipe, tmp_path: Path) -> None:
    path = make_start(tmp_path / "old")
    with pytest.raises(UsageError, match="would replace"):
        check_trained_classifier(path, recipe, tmp_path / "new" / ".." / "old")


def test_crops_are_not_enlarged(recipe: FineTuningRecipe, tmp_path: Path) -> None:
    path = make_start(tmp_path / "old", size=160)
    with pytest.raises(UsageError, match="stored_size = 128 in the recipe; set it to 160"):
        check_trained_classifier(path, recipe, tmp_path / "new")
    larger = replace(recipe, stored_size=160)
    assert check_trained_classifier(path, larger, tmp_path / "new").input_shape[0] == 160


def test_a_start_that_was_trained_on_held_out_pictures_is_refused(tmp_path: Path) -> None:
    """The other way round is allowed: all that is held out now was held out then."""
    path = make_start(tmp_path / "old")
    trained = {"data": "abc", "recipe": {"held_out": 0.1}}
    entry = manifest.find_model(path)._replace(trained=trained)
    with pytest.raises(UsageError, match=r"--recipe with held_out = 0\.1"):
        check_held_out(path, entry, "abc", 0.2, 0)
    assert check_held_out(path, entry, "abc", 0.1, 0) is None
    assert check_held_out(path, entry, "other", 0.1, 0) is None
    warning = check_held_out(path, entry, "other", 0.2, 0)
    assert warning is not None
    assert "--recipe with held_out = 0.1" in warning


@pytest.mark.parametrize("data", ["abc", "other"])
def test_cross_validation_requires_the_shipped_model(data: str, tmp_path: Path) -> None:
    path = make_start(tmp_path / "old")
    entry = manifest.find_model(path)._replace(trained={"data": "abc"})
    with pytest.raises(UsageError, match="omit --folds"):
        check_held_out(path, entry, data, 0.01, 5)
    shipped = find_start_model(None)
    assert check_held_out(shipped, manifest.find_model(shipped), data, 0.2, 5) is None

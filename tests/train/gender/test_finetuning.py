"""Fine-tuning: what it changes, what it keeps, and when it stops."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common import history
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.split import split_names
from image_gender_classifier.train.gender import finetuning, fit, network
from image_gender_classifier.train.gender.finetuning_recipe import (
    FineTuningRecipe,
    load_finetuning_recipe,
)
from image_gender_classifier.train.gender.recipe import Recipe, Stage
from image_gender_classifier.train.gender.views import Views

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def start(tiny_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of one block that has learnt nothing."""
    keras.utils.set_random_seed(3)
    built = network.build_gender_network(tiny_recipe.student, {}, pretrained=False, seed=0)
    path = tmp_path_factory.mktemp("start") / "gender.keras"
    network.make_inference_classifier(built, tiny_recipe.student).save(path)
    return path


@pytest.fixture
def recipe() -> FineTuningRecipe:
    return replace(
        load_finetuning_recipe(), stored_size=40, epochs=2, batch=16, learning_rate=0.002
    )


@pytest.fixture(scope="module")
def teacher(tiny_recipe: Recipe) -> Any:
    """Another classifier that has learnt nothing, for larger crops."""
    keras.utils.set_random_seed(4)
    larger = replace(tiny_recipe.student, stages=(Stage(40, 2),))
    built = network.build_gender_network(larger, {}, pretrained=False, seed=0)
    return network.make_inference_classifier(built, larger)


def tune(
    start: Path, crops: CropSet, recipe: FineTuningRecipe, folder: Path, *teachers: Any
) -> Any:
    folder.mkdir(exist_ok=True)
    parts = split_names(crops.names, recipe.held_out)
    original = finetuning.keep_gender_output(keras.models.load_model(start))
    return finetuning.fine_tune(original, crops, parts, recipe, folder, teachers)


def test_batch_normalisation_is_not_trained_and_a_finished_run_is_resumed(
    start: Path, tiny_crops: CropSet, recipe: FineTuningRecipe, tmp_path: Path
) -> None:
    tuned, before = tune(start, tiny_crops, recipe, tmp_path / "a"), keras.models.load_model(start)
    assert tuned.input_shape == before.input_shape
    resumed = tune(start, tiny_crops, recipe, tmp_path / "a")
    for one, other in zip(tuned.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(one, other)
    changed = {
        layer.name
        for layer, old in zip(tuned.layers, before.layers, strict=True)
        for new_weights, old_weights in zip(layer.get_weights(), old.get_weights(), strict=True)
        if not np.array_equal(new_weights, old_weights)
    }
    normalised = {
        layer.name for layer in before.layers if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert {layer.name for layer in before.layers if layer.weights} - changed == normalised
    assert len(history.read_history(tmp_path / "a")) == 2


def test_without_label_weight_predictions_stay_near_the_original(
    start: Path, tiny_crops: CropSet, recipe: FineTuningRecipe, tmp_path: Path
) -> None:
    pixels = np.stack([crop[4:36, 4:36] for crop in tiny_crops.crops]).astype(np.float32)
    before = keras.models.load_model(start).predict(pixels, verbose=0)
    moved = {
        weight: float(np.abs(
            tune(start, tiny_crops, replace(recipe, label_weight=weight), tmp_path / f"{weight}")
            .predict(pixels, verbose=0) - before
        ).mean())
        for weight in (0.0, 1.0)
    }  # fmt: skip
    assert moved[0.0] < moved[1.0] / 2


@pytest.mark.parametrize("hidden_hair", [0.0, 1.0])
@pytest.mark.parametrize("mixed", [0.0, 1.0])
@pytest.mark.parametrize("taught", [False, True])
def test_targets_mix_labels_and_predictions_for_the_unhidden_crop(
    start: Path,
    teacher: Any,
    tiny_crops: CropSet,
    recipe: FineTuningRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hidden_hair: float,
    mixed: float,
    taught: bool,
) -> None:
    """Hidden hair changes what the network sees, and not what it is to say."""
    seen: list[fit.TrainingData] = []
    fit_network = fit.fit_network

    def spy(model: Any, data: fit.TrainingData, *others: Any) -> Any:
        seen.append(data)
        return fit_network(model, data, *others)

    monkeypatch.setattr(fit, "fit_network", spy)
    short = replace(recipe, epochs=1, warmup_epochs=0.5, hidden_hair=hidden_hair, mixed=mixed)
    tune(start, tiny_crops, short, tmp_path / "run", *[teacher] * taught)
    (data,) = seen
    assert data.hidden_hair == hidden_hair
    positions = data.parts.training

    def predict(classifier: Any, size: int) -> Any:
        pixels = np.stack([data.views.render(at, 0, size) for at in positions], dtype="f4")
        return classifier.predict(pixels, verbose=0)

    logits = predict(keras.models.load_model(start), 32)
    if taught:
        other = predict(teacher, 40)
        assert np.abs(other - logits).max() > 0.01
        logits = (logits + other) / 2
    labels = np.array([[tiny_crops.samples[at].gender == "female"] for at in positions])
    smooth = labels * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
    pairs = [data.views.sample_mixup(at, 0) for at in positions]
    assert any(pair.weight for pair in pairs) == bool(mixed)
    smooth = np.stack([
        (1 - pair.weight) * one + pair.weight * smooth[pair.partner]
        for one, pair in zip(smooth, pairs, strict=True)
    ])  # fmt: skip
    expected = recipe.label_weight * smooth + (1 - recipe.label_weight) / (1 + np.exp(-logits))
    assert data.targets_of_view(0).probabilities["gender"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("views", "numbers"), [(0, [0, 1, 2]), (2, [0, 1, 0])])
def test_epochs_use_new_views_or_cycle_through_a_few(
    views: int,
    numbers: list[int],
    start: Path,
    tiny_crops: CropSet,
    recipe: FineTuningRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    render = Views.render

    def watch(views: Views, position: int, number: int, size: int) -> Pixels:
        seen.append(number)
        return render(views, position, number, size)

    monkeypatch.setattr(Views, "render", watch)
    tune(start, tiny_crops, replace(recipe, epochs=3, patience=3, views=views), tmp_path / "run")
    assert [number for number, _ in groupby(seen)] == numbers


def test_training_stops_early(
    start: Path,
    tiny_crops: CropSet,
    recipe: FineTuningRecipe,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wild = replace(recipe, epochs=6, patience=1, learning_rate=5.0)
    tune(start, tiny_crops, wild, tmp_path / "wild")
    rows = history.read_history(tmp_path / "wild")
    assert history.count_epochs_since_best(rows) == 1
    assert len(rows) < 6
    assert "stopped early" in capsys.readouterr().out

"""Training can be killed at any moment and resumed as if nothing had happened."""

# ruff: noqa: E402 (a test without its library is skipped before the imports that need it)

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from image_gender_classifier.faces import crop, whole
from image_gender_classifier.train import fit
from image_gender_classifier.train.batches import EpochBatches
from image_gender_classifier.train.crops import CropSet
from image_gender_classifier.train.recipe import Recipe
from image_gender_classifier.train.split import is_held_out


class Killed(Exception):
    """Stands for a kill."""


def history_of(folder: Path) -> list[dict[str, float]]:
    with (folder / fit.HISTORY).open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def assert_same(one: keras.Model, two: keras.Model) -> None:
    for ours, theirs in zip(one.get_weights(), two.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.fixture(scope="module")
def finished(
    tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, keras.Model]:
    """The folder and the model of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, fit.fit(tiny_crops, tiny_recipe, folder, resume=False)


def kill_in(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills the second batch of an epoch, when the first has already been learnt."""
    get: Callable[[EpochBatches, int], Any] = EpochBatches.__getitem__

    def killing(batches: EpochBatches, index: int) -> Any:
        if batches._epoch == epoch and index == 1:
            raise Killed
        return get(batches, index)

    monkeypatch.setattr(EpochBatches, "__getitem__", killing)


def test_history_has_a_row_an_epoch(finished: tuple[Path, keras.Model]) -> None:
    history = history_of(finished[0])
    assert [row["epoch"] for row in history] == [0, 1, 2]
    assert {"loss", "val_loss", "gender_accuracy", "val_gender_accuracy"} <= set(history[0])
    assert all(np.isfinite(list(row.values())).all() for row in history)


def test_nothing_half_written_is_left(finished: tuple[Path, keras.Model]) -> None:
    names = {path.name for path in finished[0].iterdir()}
    assert names == {fit.LAST, fit.BEST, fit.HISTORY}


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_killed_run_goes_on_as_if_it_had_not_stopped(
    epoch: int,
    finished: tuple[Path, keras.Model],
    tiny_crops: CropSet,
    tiny_recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        kill_in(epoch, patch)
        with pytest.raises(Killed):
            fit.fit(tiny_crops, tiny_recipe, tmp_path, resume=False)
    assert (len(history_of(tmp_path)) if epoch else 0) == epoch
    model = fit.fit(tiny_crops, tiny_recipe, tmp_path, resume=True)
    assert history_of(tmp_path) == history_of(finished[0])
    assert_same(model, finished[1])
    assert_same(
        keras.models.load_model(tmp_path / fit.LAST),
        keras.models.load_model(finished[0] / fit.LAST),
    )


def test_a_kill_between_history_and_checkpoint_repeats_that_epoch(
    finished: tuple[Path, keras.Model],
    tiny_crops: CropSet,
    tiny_recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save: Callable[[keras.Model, Path], None] = fit.save_whole

    def killing(model: keras.Model, path: Path) -> None:
        if path.name == fit.LAST and len(history_of(tmp_path)) == 2:
            raise Killed
        save(model, path)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "save_whole", killing)
        with pytest.raises(Killed):
            fit.fit(tiny_crops, tiny_recipe, tmp_path, resume=False)
    model = fit.fit(tiny_crops, tiny_recipe, tmp_path, resume=True)
    assert history_of(tmp_path) == history_of(finished[0])
    assert_same(model, finished[1])


def test_a_loss_that_is_no_number_is_not_the_best() -> None:
    rows = [{"val_loss": loss} for loss in (2.0, float("nan"), float("nan"))]
    assert fit._epochs_since_best(rows) == 2


def test_a_finished_run_is_not_trained_further(
    finished: tuple[Path, keras.Model],
    tiny_crops: CropSet,
    tiny_recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kill_in(0, monkeypatch)
    before = history_of(finished[0])
    assert_same(fit.fit(tiny_crops, tiny_recipe, finished[0], resume=True), finished[1])
    assert history_of(finished[0]) == before


def test_the_seed_decides(
    finished: tuple[Path, keras.Model], tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    fit.fit(tiny_crops, replace(tiny_recipe, seed=2), tmp_path, resume=False)
    assert history_of(tmp_path) != history_of(finished[0])


def test_without_progress_it_stops_and_keeps_the_best(
    finished: tuple[Path, keras.Model], tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    for path in finished[0].iterdir():
        shutil.copy(path, tmp_path)
    rows = [
        dict(row, val_loss=loss) for row, loss in zip(history_of(tmp_path), (1, 2, 3), strict=True)
    ]
    fit._write_history(rows, tmp_path)
    impatient = replace(tiny_recipe, epochs=9, patience=2)
    model = fit.fit(tiny_crops, impatient, tmp_path, resume=True)
    assert history_of(tmp_path) == rows
    assert_same(model, finished[1])


def test_gives_the_epoch_of_least_validation_loss(
    finished: tuple[Path, keras.Model], tiny_crops: CropSet, tiny_recipe: Recipe
) -> None:
    """The loss of the model handed back, computed here, is the least one of the history."""
    positions = fit.split(tiny_crops, tiny_recipe.held_out).held_out
    square = whole(tiny_recipe.stored_size, tiny_recipe.stored_size)
    pixels = [crop(tiny_crops.crops[at], square, tiny_recipe.input_size) for at in positions]
    logits = np.asarray(finished[1](np.stack(pixels).astype(np.float32)))[:, 0]
    female = np.array([tiny_crops.samples[at].gender == "female" for at in positions])
    smoothing = tiny_recipe.label_smoothing
    wanted = female * (1 - smoothing) + smoothing / 2
    loss = np.mean(np.logaddexp(0, logits) - wanted * logits)
    history = history_of(finished[0])
    assert loss == pytest.approx(min(row["val_gender_loss"] for row in history), abs=1e-4)
    assert loss == pytest.approx(min(row["val_loss"] for row in history), abs=1e-4)


def test_divides_by_names_alone(tiny_crops: CropSet) -> None:
    parts = fit.split(tiny_crops, 0.2)
    assert sorted([*parts.training, *parts.held_out]) == list(range(60))
    assert all(is_held_out(tiny_crops.samples[at].name, 0.2) for at in parts.held_out)
    assert not any(is_held_out(tiny_crops.samples[at].name, 0.2) for at in parts.training)


def test_never_learns_from_what_is_held_out(
    tiny_crops: CropSet, tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()
    augmented: Callable[[EpochBatches, int], Any] = EpochBatches._augmented

    def watching(batches: EpochBatches, position: int) -> Any:
        seen.add(int(position))
        return augmented(batches, position)

    monkeypatch.setattr(EpochBatches, "_augmented", watching)
    fit.fit(tiny_crops, replace(tiny_recipe, epochs=1), tmp_path, resume=False)
    assert seen == set(fit.split(tiny_crops, tiny_recipe.held_out).training)

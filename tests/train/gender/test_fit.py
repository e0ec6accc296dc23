"""Training can be killed at any moment and resumed as if nothing had happened."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
import keras
from training_runs import Killed, assert_same_weights, read_weights

from image_gender_classifier.detection.geometry import cut_crop, find_central_square
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common import history, loop, split
from image_gender_classifier.train.common.checkpoint import save_model_atomic
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.history import read_history
from image_gender_classifier.train.gender import batches, fit
from image_gender_classifier.train.gender.batches import EpochBatches
from image_gender_classifier.train.gender.fit import TrainingData
from image_gender_classifier.train.gender.recipe import NetworkRecipe, Recipe, Stage
from image_gender_classifier.train.gender.targets import (
    Targets,
    collect_group_classes,
    make_label_targets,
)
from image_gender_classifier.train.gender.views import Views

pytestmark = pytest.mark.usefixtures("eagerly")

HELD_OUT = 0.2


@pytest.fixture(scope="module")
def training(tiny_recipe: Recipe) -> NetworkRecipe:
    """Changes its size before the last epoch."""
    return replace(tiny_recipe.student, stages=(Stage(32, 2), Stage(40, 1)))


@pytest.fixture(scope="module")
def lesson(tiny_crops: CropSet) -> TrainingData:
    """The labels, with every second epoch's view the same."""
    parts, words = (
        split.split_names(tiny_crops.names, HELD_OUT),
        collect_group_classes(tiny_crops.samples),
    )
    samples = [tiny_crops.samples[position] for position in parts.training]
    targets = make_label_targets(samples, words, group_weight=0.2, label_smoothing=0.05)
    views = Views(tiny_crops.crops, np.array(parts.training), seed=1, mixup_fraction=0.5)
    return TrainingData(tiny_crops, parts, words, views, lambda epoch: epoch % 2, lambda _: targets)


def train(
    lesson: TrainingData, training: NetworkRecipe, folder: Path, seed: int = 1
) -> keras.Model:
    return fit.train_network(lesson, training, False, seed, folder)


@pytest.fixture(scope="module")
def finished(
    lesson: TrainingData, training: NetworkRecipe, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, keras.Model]:
    """The folder and the model of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, train(lesson, training, folder)


def kill_in(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills the second batch of an epoch, when the first has already been learnt."""

    class Killing(EpochBatches):
        def __init__(self, *arguments: Any, epoch: int, **options: Any) -> None:
            super().__init__(*arguments, epoch=epoch, **options)
            self.of = epoch

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            if (self.of, index) == (epoch, 1):
                raise Killed
            return super().__getitem__(index)

    monkeypatch.setattr(batches, "EpochBatches", Killing)


def test_the_history_has_one_row_per_epoch(finished: tuple[Path, keras.Model]) -> None:
    rows = read_history(finished[0])
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert {"loss", "val_loss", "gender_accuracy", "val_gender_accuracy"} <= set(rows[0])
    assert all(np.isfinite(list(row.values())).all() for row in rows)


def test_no_partial_file_is_left(finished: tuple[Path, keras.Model]) -> None:
    names = {path.name for path in finished[0].iterdir()}
    assert names == {loop.LAST, loop.BEST, history.HISTORY}


def test_a_run_killed_in_every_epoch_equals_an_uninterrupted_one(
    finished: tuple[Path, keras.Model],
    lesson: TrainingData,
    training: NetworkRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for epoch in range(training.epochs):
        with monkeypatch.context() as patch:
            kill_in(epoch, patch)
            with pytest.raises(Killed):
                train(lesson, training, tmp_path)
        done = read_history(tmp_path) if epoch else []
        assert done == read_history(finished[0])[:epoch]
    model = train(lesson, training, tmp_path)
    assert read_history(tmp_path) == read_history(finished[0])
    assert_same_weights(model.get_weights(), finished[1].get_weights())
    assert_same_weights(read_weights(tmp_path / loop.LAST), read_weights(finished[0] / loop.LAST))


def test_a_kill_between_history_and_checkpoint_repeats_that_epoch(
    finished: tuple[Path, keras.Model],
    lesson: TrainingData,
    training: NetworkRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killing(model: keras.Model, path: Path) -> None:
        if path.name == loop.LAST and len(read_history(tmp_path)) == 2:
            raise Killed
        save_model_atomic(model, path)

    with monkeypatch.context() as patch:
        patch.setattr("image_gender_classifier.train.common.loop.save_model_atomic", killing)
        with pytest.raises(Killed):
            train(lesson, training, tmp_path)
    model = train(lesson, training, tmp_path)
    assert read_history(tmp_path) == read_history(finished[0])
    assert_same_weights(model.get_weights(), finished[1].get_weights())


def test_a_finished_run_is_not_trained_further(
    finished: tuple[Path, keras.Model],
    lesson: TrainingData,
    training: NetworkRecipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kill_in(0, monkeypatch)
    before = read_history(finished[0])
    model = train(lesson, training, finished[0])
    assert_same_weights(model.get_weights(), finished[1].get_weights())
    assert read_history(finished[0]) == before


def test_a_damaged_best_epoch_is_reported(
    finished: tuple[Path, keras.Model],
    lesson: TrainingData,
    training: NetworkRecipe,
    tmp_path: Path,
) -> None:
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / loop.BEST).write_bytes(b"")
    with pytest.raises(
        ModelError, match=r"best\.keras: Keras cannot load the checkpoint .*; delete its folder"
    ):
        train(lesson, training, tmp_path)


def test_a_checkpoint_of_another_network_is_reported(
    finished: tuple[Path, keras.Model],
    lesson: TrainingData,
    training: NetworkRecipe,
    tmp_path: Path,
) -> None:
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.compile("sgd", "mse")
    other.save(tmp_path / loop.LAST)
    with pytest.raises(ModelError, match=r"last\.keras: the checkpoint does not match this"):
        train(lesson, training, tmp_path)


def test_a_nan_loss_stops_the_training(
    lesson: TrainingData, training: NetworkRecipe, tmp_path: Path
) -> None:
    wild = replace(training, learning_rate=1e30)
    with pytest.raises(ModelError, match="NaN or infinite in epoch"):
        train(lesson, wild, tmp_path)
    assert not (tmp_path / loop.BEST).exists()


def test_another_seed_gives_another_training(
    finished: tuple[Path, keras.Model],
    lesson: TrainingData,
    training: NetworkRecipe,
    tmp_path: Path,
) -> None:
    """Of the network here; that of the views is another's, and stays."""
    once = replace(training, stages=training.stages[:1])
    train(lesson, once, tmp_path, seed=2)
    assert read_history(tmp_path)[0]["loss"] != read_history(finished[0])[0]["loss"]


def test_the_best_checkpoint_is_kept_by_later_epochs(
    finished: tuple[Path, keras.Model],
    lesson: TrainingData,
    training: NetworkRecipe,
    tmp_path: Path,
) -> None:
    """After two epochs that are said to be better than any later one."""
    for path in finished[0].iterdir():
        shutil.copy(path, tmp_path)
    rows = [dict(row, epoch=index) for index, row in enumerate(read_history(tmp_path))]
    rows[1]["val_loss"] = -1.0
    history.write_history(rows, tmp_path)
    before = (tmp_path / loop.BEST).read_bytes()
    longer = replace(training, stages=(*training.stages, Stage(32, 1)))
    train(lesson, longer, tmp_path)
    assert [row["epoch"] for row in read_history(tmp_path)] == [0, 1, 2, 3]
    assert (tmp_path / loop.BEST).read_bytes() == before


def test_returns_the_epoch_with_the_lowest_validation_loss(
    finished: tuple[Path, keras.Model], lesson: TrainingData, training: NetworkRecipe
) -> None:
    """The loss of the model handed back, computed here, is the least one of the history."""
    samples, crops = lesson.crop_set.samples, lesson.crop_set.crops
    positions, square = lesson.parts.held_out, find_central_square(*crops.shape[1:3])
    pixels = [cut_crop(crops[position], square, training.size) for position in positions]
    logits = np.asarray(finished[1](np.stack(pixels).astype(np.float32))["gender"])[:, 0]
    female = np.array([samples[position].gender == "female" for position in positions])
    loss = np.mean(np.logaddexp(0, logits) - female * logits)
    accuracy = np.mean((logits >= 0) == female)
    best = min(read_history(finished[0]), key=lambda row: row["val_loss"])
    assert loss == pytest.approx(best["val_gender_loss"], abs=1e-4)
    assert loss == pytest.approx(best["val_loss"], abs=1e-4), "of gender alone, without groups"
    assert accuracy == pytest.approx(best["val_gender_accuracy"], abs=1e-6)


def test_each_epoch_has_its_view_and_size_of_all_training_samples(
    lesson: TrainingData, training: NetworkRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets: list[int] = []
    seen: list[set[tuple[int, int, int]]] = []
    draw: Callable[[Views, int, int, int], Pixels] = Views.render

    def targets_of_view(number: int) -> Targets:
        targets.append(number)
        seen.append(set())  # an epoch begins with its targets
        return lesson.targets_of_view(number)

    def watching(views: Views, position: int, number: int, size: int) -> Pixels:
        seen[-1].add((int(position), number, size))
        return draw(views, position, number, size)

    monkeypatch.setattr(Views, "render", watching)
    train(replace(lesson, targets_of_view=targets_of_view), training, tmp_path)
    assert targets == [0, 1, 0]
    learnt = lesson.parts.training
    assert seen == [
        {(position, 0, 32) for position in learnt},
        {(position, 1, 32) for position in learnt},
        {(position, 0, 40) for position in learnt},
    ]

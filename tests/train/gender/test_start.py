"""What a training starts from, and the options that shorten it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.gender import cli
from image_gender_classifier.train.gender.finetuning_recipe import load_finetuning_recipe
from image_gender_classifier.train.gender.recipe import SHIPPED, load_gender_recipe
from image_gender_classifier.train.gender.start import (
    choose_start,
    load_finetuning_recipe_with_options,
    load_recipe_with_options,
)


def options(*given: str) -> argparse.Namespace:
    return cli.parse_options(["--data", "x", "--layout", "folders", "--out", "x", *given])


def test_few_pictures_select_fine_tuning() -> None:
    assert choose_start(options(), 4999) == "classifier"
    assert choose_start(options(), 5000) == "imagenet"
    assert choose_start(options("--recipe", "mine.toml"), 10) == "imagenet"
    assert choose_start(options("--without-teachers"), 10) == "imagenet"
    assert choose_start(options("--from", "shipped", "--recipe", "mine.toml"), 9999) == "classifier"
    assert choose_start(options("--from", "random"), 10) == "random"
    assert choose_start(options("--from", "old/gender.keras"), 9999) == "classifier"


@pytest.mark.parametrize(
    "given",
    [
        ("--from", "shipped", "--without-teachers"),
        ("--from", "imagenet", "--folds", "5"),
        ("--folds", "1"),
        ("--from", "old.keras", "--without-teachers"),
        ("--from", "old.onnx"),
        ("--epochs", "0"),
        ("--epochs", "many"),
    ],
)
def test_contradictory_options_are_refused(given: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        choose_start(options(*given), 10)


def test_options_shorten_fine_tuning(tmp_path: Path) -> None:
    recipe = load_finetuning_recipe()
    assert load_finetuning_recipe_with_options(options()) == recipe
    quick = load_finetuning_recipe_with_options(options("--quick", "--seed", "4"))
    assert quick == replace(recipe, epochs=2, seed=4)
    single = load_finetuning_recipe_with_options(options("--quick", "--epochs", "1"))
    assert single == replace(recipe, epochs=1, warmup_epochs=0.5)


def test_a_shorter_training_keeps_the_proportion_of_its_stages() -> None:
    recipe = load_gender_recipe()
    assert load_recipe_with_options(options(), "imagenet") == recipe
    stages = [(stage.size, stage.epochs) for stage in recipe.student.stages]
    assert stages == [(72, 24), (96, 40)]
    for epochs, expected in ((8, [(72, 3), (96, 5)]), (128, [(72, 48), (96, 80)]), (1, [(96, 1)])):
        student = load_recipe_with_options(options("--epochs", str(epochs)), "imagenet").student
        assert [(stage.size, stage.epochs) for stage in student.stages] == expected
        (tuning,) = load_recipe_with_options(
            options("--epochs", str(epochs)), "imagenet"
        ).fine_tunings
        assert tuning.epochs == min(epochs, recipe.fine_tunings[0].epochs)
        assert tuning.warmup_epochs <= tuning.epochs / 2
    quick = load_recipe_with_options(options("--quick"), "random")
    assert (quick.teachers, quick.pretrained, quick.student.distilled) == ((), False, False)
    assert not quick.fine_tunings
    assert quick.student.epochs == 6


def test_shorter_training_keeps_the_input_size(tmp_path: Path) -> None:
    recipe = load_gender_recipe()
    text = SHIPPED.read_text()
    assert text.count("epochs = 24") == text.count("epochs = 40") == 1
    path = tmp_path / "recipe.toml"
    path.write_text(text.replace("epochs = 24", "epochs = 60").replace("epochs = 40", "epochs = 4"))
    for epochs, expected in ((6, [(72, 5), (96, 1)]), (1, [(96, 1)])):
        student = load_recipe_with_options(
            options("--recipe", str(path), "--epochs", str(epochs)), "imagenet"
        ).student
        assert [(stage.size, stage.epochs) for stage in student.stages] == expected
        assert student.size == recipe.student.size

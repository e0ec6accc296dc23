"""The start of a training: a trained classifier, ImageNet weights or random weights."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.command import Parser
from image_gender_classifier.train.common.training_command import choose_seed
from image_gender_classifier.train.gender.start_model import SHIPPED, SUFFIX

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.gender.finetuning_recipe import FineTuning, FineTuningRecipe
    from image_gender_classifier.train.gender.recipe import NetworkRecipe, Recipe

_FineTuning = TypeVar("_FineTuning", bound="FineTuning")
Start = Literal["classifier", "imagenet", "random"]

FINE_TUNING_BELOW = 5000  # pictures
QUICK_EPOCHS = {"classifier": 2, "imagenet": 6, "random": 6}
_NEW = ("imagenet", "random")  # values of `--from` for a new classifier


def add_start_options(parser: Parser) -> None:
    """Adds `--from`, `--epochs`, `--quick`, `--folds` and `--without-teachers`."""
    add = parser.add_argument_group("training").add_argument
    add(
        "--from", dest="start", type=_parse_start, metavar="{shipped,imagenet,random,FILE.keras}",
        help="shipped: fine-tune the shipped classifier, in minutes; FILE.keras: the same with a "
        "classifier of an earlier training; imagenet: train a new one "
        "from ImageNet weights, in hours; random: the same from random weights (default: shipped "
        f"for fewer than {FINE_TUNING_BELOW:,} pictures without --recipe, else imagenet)",
    )  # fmt: skip
    add(
        "--epochs", type=_parse_count, metavar="N",
        help="number of epochs, at most; for --from imagenet or random that of the classifier "
        "itself and of its fine-tunings, not of its teachers (default: the recipe's)",
    )  # fmt: skip
    add(
        "--quick", action="store_true",
        help=f"a short training to try things out: {QUICK_EPOCHS['classifier']} epochs of "
        f"fine-tuning, else {QUICK_EPOCHS['imagenet']} epochs without teachers and fine-tuning",
    )  # fmt: skip
    add(
        "--folds", type=_parse_folds, default=0, metavar="N",
        help="also fine-tune N classifiers on parts of the pictures, to measure the accuracy on "
        "all of them (cross-validation): N times as long, for fewer than 2,000 pictures",
    )  # fmt: skip
    add(
        "--without-teachers", action="store_true",
        help="with --from imagenet or random: train on the labels, without distillation: much "
        "faster, but less accurate",
    )  # fmt: skip


def choose_start(options: argparse.Namespace, samples: int) -> Start:
    """Returns the kind of `--from`, or its default.

    Args:
        options: Parsed arguments of `add_start_options`, and `recipe`.
        samples: Number of labelled pictures.

    Raises:
        UsageError: The options contradict each other.
    """
    few = samples < FINE_TUNING_BELOW and options.recipe is None and not options.without_teachers
    start = options.start or (SHIPPED if few else "imagenet")
    if start in _NEW:
        if options.folds:
            raise UsageError(
                f"--folds needs --from shipped or FILE.keras, and this is --from {start}"
            )
        return cast(Start, start)
    if options.without_teachers:
        raise UsageError(f"--without-teachers has no effect with --from {start}; omit one of them")
    return "classifier"


def load_finetuning_recipe_with_options(options: argparse.Namespace) -> FineTuningRecipe:
    """Reads the recipe for fine-tuning and applies the options that override its fields.

    Args:
        options: Parsed arguments; `recipe`, `epochs`, `quick` and `seed` are used.

    Raises:
        UsageError: The recipe cannot be read or is invalid, or `--seed` is out of range.
    """
    from image_gender_classifier.train.gender.finetuning_recipe import load_finetuning_recipe

    recipe = load_finetuning_recipe(options.recipe)
    epochs = _count_epochs(options, "classifier", recipe.epochs)
    return replace(_set_epochs(recipe, epochs), seed=choose_seed(options, recipe.seed))


def load_recipe_with_options(options: argparse.Namespace, start: Start) -> Recipe:
    """Reads the recipe of a new classifier and applies the options that override its fields.

    Args:
        options: Parsed arguments; `recipe`, `epochs`, `quick`, `without_teachers` and `seed` are
            used.
        start: "imagenet" or "random".

    Raises:
        UsageError: The recipe cannot be read or is invalid, or `--seed` is out of range.
    """
    from image_gender_classifier.train.gender.recipe import SHIPPED, load_gender_recipe

    recipe = load_gender_recipe(options.recipe or SHIPPED)
    if options.without_teachers or options.quick:
        recipe = replace(recipe, teachers=(), student=replace(recipe.student, distilled=False))
    if options.quick:
        recipe = replace(recipe, fine_tunings=())
    if start == "random":
        recipe = replace(recipe, pretrained=False)
    epochs = _count_epochs(options, start, recipe.student.epochs)
    return replace(
        recipe,
        student=_limit_epochs(recipe.student, epochs),
        fine_tunings=tuple(
            _set_epochs(tuning, min(tuning.epochs, epochs)) for tuning in recipe.fine_tunings
        ),
        seed=choose_seed(options, recipe.seed),
    )


def _count_epochs(options: argparse.Namespace, start: Start, epochs: int) -> int:
    """Returns the number of epochs: that of the recipe, of `--quick` or of `--epochs`."""
    if options.epochs is not None:
        count: int = options.epochs
        return count
    return min(epochs, QUICK_EPOCHS[start]) if options.quick else epochs


def _limit_epochs(training: NetworkRecipe, epochs: int) -> NetworkRecipe:
    """Returns a recipe of a network with another number of epochs, divided among its stages.

    The last stage keeps at least one epoch, because its size is that of the trained network.
    """
    if epochs == training.epochs:
        return training
    ends, total = [], 0
    for stage in training.stages:
        total += stage.epochs
        ends.append(min(round(total * epochs / training.epochs), epochs - 1))
    ends[-1] = epochs
    counts = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    stages = tuple(
        replace(stage, epochs=count)
        for stage, count in zip(training.stages, counts, strict=True)
        if count
    )
    warmup = min(training.warmup_epochs, epochs / 2)
    return replace(training, stages=stages, warmup_epochs=warmup)


def _set_epochs(tuning: _FineTuning, epochs: int) -> _FineTuning:
    """Returns a recipe of fine-tuning with another number of epochs, and warm-up to match."""
    return replace(tuning, epochs=epochs, warmup_epochs=min(tuning.warmup_epochs, epochs / 2))


def _parse_start(text: str) -> str:
    """Checks the value of `--from`."""
    if text in (SHIPPED, *_NEW) or Path(text).suffix.lower() == SUFFIX:
        return text
    names = ", ".join((SHIPPED, *_NEW))
    raise argparse.ArgumentTypeError(f"{text!r} is neither {names} nor a file *{SUFFIX}")


def _parse_count(text: str) -> int:
    """Parses the value of `--epochs`."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10,000")
    return int(text)


def _parse_folds(text: str) -> int:
    """Parses the value of `--folds`."""
    if not (text.isascii() and text.isdigit() and 2 <= int(text) <= 20):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 2 to 20")
    return int(text)

"""Options and steps that all training commands share."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_gender_classifier.errors import UsageError
from image_gender_classifier.system.locking import held
from image_gender_classifier.train.common import crops, cutting, run_record
from image_gender_classifier.train.common.command import Parser, exit_code, say
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.detector_option import detector_key, open_detector
from image_gender_classifier.train.datasets import Sample

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CURVES = "learning_curves.png"


def main(
    program: str, train: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None
) -> int:
    """Runs a training command.

    Args:
        program: Name of the console script.
        train: Trains, from the arguments.
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `command.exit_code`; after 129, 130 and 143, `--resume` continues the run.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    return exit_code(program, lambda: train(arguments))


def add_training_options(parser: Parser, recipe: str) -> None:
    """Adds `--out`, `--resume`, `--recipe`, `--seed` and `--license`.

    Args:
        parser: The parser.
        recipe: Path of the default recipe, for the help text.
    """
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder for model and checkpoints")
    add("--resume", action="store_true", help="continue from the last checkpoint in the folder")
    add(
        "--recipe", type=Path, metavar="FILE",
        help=f"TOML file with network and hyperparameters (default: {recipe})",
    )  # fmt: skip
    add("--seed", type=int, metavar="N", help="random seed (default: the recipe's)")
    add(
        "--license", default="LicenseRef-unspecified", metavar="SPDX",
        help="licence of the model, for its manifest (default: %(default)s)",
    )  # fmt: skip


def seed_of(options: argparse.Namespace, default: int) -> int:
    """Gives the value of `--seed`, or the recipe's seed.

    Raises:
        UsageError: The seed is out of range.
    """
    from image_gender_classifier.train.common.recipe import SEEDS

    if options.seed is None:
        return default
    seed: int = options.seed
    if not 0 <= seed < SEEDS:
        raise UsageError(f"--seed: is {seed}, but must be from 0 to {SEEDS - 1}")
    return seed


def in_run_folder(
    options: argparse.Namespace, run: DataclassInstance, train: Callable[[], None]
) -> None:
    """Trains in the run's folder, with a lock on it.

    Args:
        options: `out` and `resume`.
        run: What determines the run's outcome.
        train: Trains; calls `start` before the first epoch.

    Raises:
        UsageError: The folder holds another run, or one that `--resume` does not allow to continue.
        ModelError: The folder's manifest is damaged.
        OutputError: The folder cannot be written to.
    """
    run_record.prepare_folder(options.out, run, options.resume)
    with held([options.out]):
        train()


def start(options: argparse.Namespace, run: DataclassInstance) -> None:
    """Configures TensorFlow's threads and writes the run record."""
    from image_gender_classifier.train.common import split_batch

    split_batch.use_cores()
    run_record.write(run, options.out)


def cut_crops(samples: Sequence[Sample], choice: str, size: int, out: Path) -> CropSet:
    """Cuts the samples' crops, or reads them from the cache, and reports samples without one.

    Args:
        samples: The labelled pictures.
        choice: The detector.
        size: Side of the crops in pixels.
        out: Existing folder for the cache.

    Raises:
        OutputError: The cache cannot be written.
    """
    cut = cutting.by(open_detector(choice))
    crop_set = crops.load_or_cut(samples, size, cut, detector_key(choice), out)
    if crop_set.unreadable or crop_set.no_face:
        say(cutting.left_out(crop_set.unreadable, crop_set.no_face), sys.stdout)
    return crop_set


def provenance(program: str, arguments: Sequence[str], run: DataclassInstance) -> dict[str, Any]:
    """Gives the manifest's record of how a model was trained."""
    return {"command": shlex.join([program, *arguments]), **run_record.as_json(run)}

"""Options and steps that the training commands share."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_gender_classifier.errors import UsageError
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.train.common import crops, cutting, run_record
from image_gender_classifier.train.common.command import Parser, print_line, run_with_exit_code
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.detector_option import detector_cache_key, open_detector
from image_gender_classifier.train.datasets import Sample

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CURVES = "learning_curves.png"  # file name in the output folder


def run_training_command(
    program: str, train: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None
) -> int:
    """Runs a training command and returns its exit code.

    Args:
        program: Name of the console script.
        train: Function that parses the arguments and trains.
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `command.run_with_exit_code`. A run that a signal stopped (129, 130 or 143)
        can be continued with `--resume`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    again = "the same command" if "--resume" in arguments else "the same command with --resume"
    return run_with_exit_code(
        program, lambda: train(arguments), interrupted=f"interrupted; {again} goes on"
    )


def add_training_options(parser: Parser, recipe: str) -> None:
    """Adds `--out`, `--resume`, `--recipe`, `--seed` and `--license`.

    Args:
        parser: The parser to extend.
        recipe: Path of the default recipe, for the help text.
    """
    add_run_options(parser)
    add_expert_options(parser, recipe)


def add_run_options(parser: argparse._ActionsContainer) -> None:
    """Adds `--out` and `--resume` to a parser or a group of options."""
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the model and its checkpoints",
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue the run in --out from its last checkpoint"
    )


def add_expert_options(parser: argparse._ActionsContainer, recipe: str) -> None:
    """Adds `--recipe`, `--seed` and `--license` to a parser or a group of options.

    Args:
        parser: The parser or group to extend.
        recipe: Path of the default recipe, for the help text.
    """
    add = parser.add_argument
    add(
        "--recipe", type=Path, metavar="FILE",
        help=f"TOML file with network and hyperparameters (default: {recipe})",
    )  # fmt: skip
    add("--seed", type=int, metavar="N", help="random seed (default: the recipe's)")
    add(
        "--license", default="LicenseRef-unspecified", metavar="SPDX",
        help="SPDX licence expression of the model, for its manifest (default: %(default)s)",
    )  # fmt: skip


def choose_seed(options: argparse.Namespace, default: int) -> int:
    """Returns the value of `--seed`, or `default` if the option is not given.

    Args:
        options: Parsed arguments; only `seed` is used.
        default: Seed of the recipe.

    Raises:
        UsageError: The seed is out of range.
    """
    from image_gender_classifier.train.common.recipe import SEEDS

    if options.seed is None:
        return default
    seed: int = options.seed
    if not 0 <= seed < SEEDS:
        raise UsageError(f"--seed {seed}: expected a number from 0 to {SEEDS - 1}")
    return seed


def train_in_run_folder(
    options: argparse.Namespace, run: DataclassInstance, train: Callable[[], None], variable: str
) -> None:
    """Creates or checks the output folder, locks it and trains in it.

    Args:
        options: Parsed arguments; only `out` and `resume` are used.
        run: The inputs of the run: data, recipe and options.
        train: Function that trains; must call `start_run` before the first epoch.
        variable: Name of the Makefile's variable for the output folder, for messages.

    Raises:
        UsageError: The folder contains a run, and `--resume` is not given or the inputs differ; the
            folder cannot be created; or another process has locked it.
        ModelError: The folder's manifest cannot be read or is corrupt.
        Exception: Propagated from `train`.
    """
    run_record.prepare_run_folder(options.out, run, options.resume, variable)
    with lock_folders([options.out]):
        train()


def start_run(options: argparse.Namespace, run: DataclassInstance) -> None:
    """Configures TensorFlow's threads and writes the run record, `run.json`.

    Args:
        options: Parsed arguments; only `out`, the run folder, is used.
        run: The inputs of the run: data, recipe and options.

    Raises:
        OutputError: The folder cannot be written to.
    """
    from image_gender_classifier.train.common import split_batch

    split_batch.configure_threads()
    run_record.write_run_record(run, options.out)


def prepare_crops(samples: Sequence[Sample], choice: str, size: int, out: Path) -> CropSet:
    """Reads the crops of samples from the crop cache, or cuts and caches them.

    Prints the names of the samples without a crop.

    Args:
        samples: The labelled pictures.
        choice: Value of `--detector`.
        size: Side of the crops in pixels.
        out: Existing folder for the cache.

    Returns:
        The samples that have a crop, with their crops.

    Raises:
        ModelError: A model file of the detector is missing or corrupt, or cannot be run.
        OSError: A picture file does not exist or cannot be accessed.
        OutputError: The cache cannot be written.
        RuntimeMissing: No runtime that the detector can use is installed.
    """
    cut = cutting.make_crop_cutter(open_detector(choice))
    crop_set = crops.load_or_cut_crops(samples, size, cut, detector_cache_key(choice), out)
    if crop_set.unreadable or crop_set.no_face:
        print_line(cutting.format_skipped(crop_set.unreadable, crop_set.no_face), sys.stdout)
    return crop_set


def describe_training(
    program: str, arguments: Sequence[str], run: DataclassInstance
) -> dict[str, Any]:
    """Returns the command line and the inputs of a run, for the field `trained` of the manifest.

    Args:
        program: Name of the console script.
        arguments: The arguments without the program name.
        run: The inputs of the run: data, recipe and options.
    """
    return {"command": shlex.join([program, *arguments]), **run_record.run_to_json(run)}

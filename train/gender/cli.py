"""The command `image-gender-train`: trains a gender classifier on labelled pictures."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.train.common import cutting, history, training_command
from image_gender_classifier.train.common.command import Parser, print_line, require_tensorflow
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.data_options import (
    add_data_options,
    read_data_and_report,
    training_split,
)
from image_gender_classifier.train.common.detector_option import (
    add_detector_option,
    choose_detector,
    is_whole_picture_layout,
)
from image_gender_classifier.train.common.picture_kind import warn_of_other_kind
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, Sample
from image_gender_classifier.train.gender.prepared_run import (
    Train,
    prepare_fine_tuning,
    prepare_new_model,
)
from image_gender_classifier.train.gender.run_inputs import Run
from image_gender_classifier.train.gender.start import add_start_options, choose_start
from image_gender_classifier.train.gender.start_model import MODEL
from image_gender_classifier.train.gender.trained_teachers import add_teacher_option

PROGRAM = "image-gender-train"
_DESCRIPTION = (
    "Trains a perceived-gender classifier on labelled pictures. With fewer than 5,000 pictures it "
    "fine-tunes the shipped classifier, in minutes."
)
_EPILOG = f"""\
examples:
  Pictures in the folders women and men:
    {PROGRAM} --data my/pictures --layout folders --out runs/own
  Pictures named by user ID, and a table with a row per user:
    {PROGRAM} --data photos --layout user-id --labels users.csv --out runs/own
  The corrections of image-gender-review:
    {PROGRAM} --data photos --layout user-id --labels predictions/corrections.csv --out runs/own

Ctrl-C stops it; the same command with --resume goes on.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-train`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code (see `training_command.run_training_command`).
    """
    return training_command.run_training_command(PROGRAM, _train, argv)


def _train(arguments: Sequence[str]) -> None:
    options = parse_options(arguments)
    require_tensorflow()
    reading = read_data_and_report(options, training_split(options.layout))
    _check_genders(reading.samples, "samples")
    start = choose_start(options, len(reading.samples))
    if start == "classifier":
        run, train = prepare_fine_tuning(reading, options)
    else:
        run, train = prepare_new_model(reading, options, start)
    training_command.train_in_run_folder(
        options,
        run,
        lambda: _train_in_folder(reading.samples, run, train, options, arguments),
        "TRAIN_OUT",
    )


def _train_in_folder(
    samples: Sequence[Sample],
    run: Run,
    train: Train,
    options: argparse.Namespace,
    arguments: Sequence[str],
) -> None:
    if is_whole_picture_layout(options.layout):
        warn_of_other_kind(samples, options.detector)
    crop_set = training_command.prepare_crops(
        samples, options.detector, run.recipe.stored_size, options.out
    )
    _check_parts(crop_set, run.recipe.held_out)

    # After all checks, because TensorFlow takes seconds to import.
    print_line("starting TensorFlow", sys.stdout)
    from image_gender_classifier.train.common import plots

    training_command.start_run(options, run)
    trained = training_command.describe_training(PROGRAM, arguments, run)
    networks = train(crop_set, options.out, trained)
    for name in networks:
        folder = options.out / name
        plots.plot_learning_curves(folder / history.HISTORY, folder / training_command.CURVES)
    print_line(_format_next_steps(options.out), sys.stdout)


def _format_next_steps(folder: Path) -> str:
    """Returns what to type after a training."""
    out = shlex.quote(str(folder))
    return (
        f"next: make convert TRAIN_OUT={out}\n"
        f"  or: image-gender-convert --model {shlex.quote(str(folder / MODEL))} --out FOLDER"
    )


def make_parser() -> Parser:
    """Returns the argument parser of `image-gender-train`."""
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, epilog=_EPILOG)
    training_command.add_run_options(parser)
    add_data_options(parser)
    add_start_options(parser)
    expert = parser.add_argument_group("expert")
    add_detector_option(expert)
    add_teacher_option(expert)
    training_command.add_expert_options(
        expert, "train/gender/finetune.toml for fine-tuning, else train/gender/recipe.toml"
    )
    return parser


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parses the command line; `detector` has the default of the layout.

    Raises:
        UsageError: An option is wrong.
    """
    options = make_parser().parse_args(arguments)
    options.detector = choose_detector(options.detector, options.layout)
    return options


def _check_parts(crop_set: CropSet, fraction: float) -> None:
    """Checks that there are held-out crops, and training crops of both genders.

    Raises:
        DataError: There are no crops, no held-out crops, or no training crops of a gender.
    """
    count = len(crop_set.samples)
    if not count:
        raise DataError(cutting.explain_no_crops(len(crop_set.unreadable), len(crop_set.no_face)))
    training = [sample for sample in crop_set.samples if not is_held_out(sample.name, fraction)]
    if not training or len(training) == count:
        raise DataError(
            f"{'none' if training else 'all'} of the crops ({count:,}) would be held out for "
            "validation (by a hash of the name); add pictures"
        )
    _check_genders(training, "training crops")


def _check_genders(samples: Sequence[Sample], what: str) -> None:
    """Checks that the samples do not all have the same gender.

    Args:
        samples: At least one sample.
        what: Plural noun for the samples, for the error message.

    Raises:
        DataError: All samples have the same gender.
    """
    genders = {sample.gender for sample in samples}
    if len(genders) == 1:
        raise DataError(
            f"the {what} are all {genders.pop()} ({len(samples):,}); add pictures of the other "
            "gender"
        )

"""The labelled pictures of a conversion: by default those that the model was trained on."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from image_gender_classifier import manifest
from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.detector_option import choose_detector
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import held_out_fraction
from image_gender_classifier.train.gender import cli as training

_LABEL_OPTIONS = (
    *("layout", "labels", "id_column", "gender_column", "zero_is"),
    *("female", "male", "max_missing", "strict"),
)


def complete_options(options: argparse.Namespace) -> None:
    """Completes the options of `image-gender-convert`.

    Without `--data`, the data options are those of the training command in the manifest. Without
    `--detector`, it is that of the layout. Adds `held_out`: the fraction of the samples that the
    training held out.

    Args:
        options: Parsed arguments, which are changed.

    Raises:
        ModelError: The model or its manifest is missing or corrupt, or the training did not finish.
        UsageError: `--data` or `--layout` is missing and cannot be found out, or options of labels
            are given without `--data`.
    """
    check_run_finished(options.model)
    entry = manifest.find_model(options.model)
    if options.data is None:
        _refuse_label_options(options)
        recorded = _parse_training_command(options.model, str(entry.trained.get("command", "")))
        for name in ("data", *_LABEL_OPTIONS):
            setattr(options, name, getattr(recorded, name))
        options.detector = options.detector or recorded.detector
    elif options.layout is None:
        raise UsageError("--data requires --layout (see image-gender-convert --help)")
    options.detector = choose_detector(options.detector, options.layout)
    options.held_out = held_out_fraction(entry)


def _refuse_label_options(options: argparse.Namespace) -> None:
    """Raises `UsageError` if an option of labels is given: the recorded ones would replace it."""
    parser = training.make_parser()
    given = [name for name in _LABEL_OPTIONS if getattr(options, name) != parser.get_default(name)]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise UsageError(f"{option} requires --data and --layout (see image-gender-convert --help)")


def _parse_training_command(model: Path, command: str) -> argparse.Namespace:
    """Parses the command that trained a model.

    Raises:
        UsageError: It is not a command of `image-gender-train`, or its pictures do not exist.
    """
    needed = "give --data and --layout"
    try:
        program, *arguments = shlex.split(command)
        recorded, _ = training.make_parser().parse_known_args(arguments)
    except (ValueError, UsageError):
        raise UsageError(
            f"{model}: the manifest does not say which pictures the model was trained on; {needed}"
        ) from None
    if program != training.PROGRAM or not recorded.data.is_dir():
        raise UsageError(
            f"{model}: the pictures that the model was trained on do not exist ({recorded.data}); "
            f"{needed}"
        )
    return recorded

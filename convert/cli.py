"""The commands `image-gender-convert`, `…-convert-detector` and `…-convert-refiner`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_gender_classifier.convert.formats import add_formats_option
from image_gender_classifier.convert.recorded_data import complete_options
from image_gender_classifier.train.common.command import (
    Parser,
    print_line,
    require_tensorflow,
    run_with_exit_code,
)
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
)
from image_gender_classifier.train.common.detector_option import add_detector_option

if TYPE_CHECKING:  # imports TensorFlow
    from image_gender_classifier.convert.export import Task

REFUSED = 1  # exit code if nothing is published


@dataclass(frozen=True, slots=True)
class Command:
    """A conversion command.

    Attributes:
        program: Name of the console script.
        description: Text for `--help`.
        examples: Text at the end of `--help`.
        add_task_options: Adds the options that only this command has.
        complete_options: Completes the parsed options, if `--data` can be omitted; None if it is
            required.
        load_task: Imports and returns the task. Takes seconds, because it imports TensorFlow.
    """

    program: str
    description: str
    examples: str
    add_task_options: Callable[[Parser], None]
    complete_options: Callable[[argparse.Namespace], None] | None
    load_task: Callable[[], Task[Any, Any]]


def _load_gender_task() -> Task[Any, Any]:
    from image_gender_classifier.convert.gender import TASK

    return TASK


def _load_detector_task() -> Task[Any, Any]:
    from image_gender_classifier.convert.detector import TASK

    return TASK


def _load_refiner_task() -> Task[Any, Any]:
    from image_gender_classifier.convert.refiner import TASK

    return TASK


_FORMATS = (
    "to int8 TFLite and ONNX, and to a float32 variant of the TFLite file for tflite-runtime. "
)
GENDER = Command(
    "image-gender-convert",
    f"Exports a trained gender classifier {_FORMATS}Compares all files on face crops and publishes "
    "them with their manifest. The pictures are those of the training unless --data is given.",
    """\
examples:
  After image-gender-train --out runs/own:
    image-gender-convert --model runs/own/gender.keras --out runs/converted
  Classify with the result:
    image-gender-classifier -i photos -o predictions --model runs/converted/gender_int8.tflite
""",
    lambda parser: add_detector_option(parser.add_argument_group("expert")),
    complete_options,
    _load_gender_task,
)
DETECTOR = Command(
    "image-gender-convert-detector",
    f"Exports a trained face detector {_FORMATS}Compares all files on synthetic scenes and "
    "publishes them with their manifest.",
    """\
example:
  image-gender-convert-detector --model runs/detector/face_detector.keras --out runs/converted \\
      --data fairface --layout fairface --backgrounds backgrounds
""",
    add_backgrounds_option,
    None,
    _load_detector_task,
)


REFINER = Command(
    "image-gender-convert-refiner",
    f"Exports a trained face refiner {_FORMATS}Compares all files on candidates of the shipped "
    "face detector in synthetic scenes and publishes them with their manifest.",
    """\
example:
  image-gender-convert-refiner --model runs/refiner/face_refiner.keras --out runs/converted \\
      --data fairface --layout fairface --backgrounds backgrounds
""",
    add_backgrounds_option,
    None,
    _load_refiner_task,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-convert`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `run_conversion`.
    """
    return run_conversion(GENDER, argv)


def main_detector(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-convert-detector`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `run_conversion`.
    """
    return run_conversion(DETECTOR, argv)


def main_refiner(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-convert-refiner`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `run_conversion`.
    """
    return run_conversion(REFINER, argv)


def run_conversion(command: Command, argv: Sequence[str] | None = None) -> int:
    """Runs a conversion command.

    Args:
        command: The command to run.
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code: 0 if at least one format is published; 1 if none is, because the conversion
        or verification of each format in `--formats` failed; 3 if the output cannot be written; 129
        after SIGHUP, 130 after SIGINT, 143 after SIGTERM; 2 after other errors.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    faults: list[str] = []
    code = run_with_exit_code(
        command.program, lambda: faults.extend(_export(command, arguments)), extra="convert"
    )
    if faults:
        print_line(f"{command.program}: nothing was published: {'; '.join(faults)}", sys.stderr)
        return REFUSED
    return code


def _export(command: Command, arguments: Sequence[str]) -> list[str]:
    """Parses the arguments and exports the network; returns the result of `export_network`."""
    options = _parser(command).parse_args(arguments)
    require_tensorflow()
    if command.complete_options is not None:
        command.complete_options(options)
    print_line("starting TensorFlow", sys.stdout)
    task = command.load_task()  # after parsing: usage errors need no TensorFlow
    from image_gender_classifier.convert.export import export_network

    return export_network(task, options, shlex.join([command.program, *arguments]))


def _parser(command: Command) -> Parser:
    parser = Parser(prog=command.program, description=command.description, epilog=command.examples)
    add = parser.add_argument
    add("--model", type=Path, required=True, metavar="FILE", help="the trained .keras model")
    add(
        "--out", type=Path, required=True, metavar="DIR",
        help="existing folder for the exported files",
    )  # fmt: skip
    add_formats_option(parser)
    add_data_options(parser, required=command.complete_options is None)
    command.add_task_options(parser)
    return parser

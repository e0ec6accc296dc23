"""Checks the options of a run that prints predictions and writes no file."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.terminal import PROGRAM
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.settings import STANDARD_OUTPUT


def check_print_run(options: Options, folder: Path | None) -> None:
    """Checks that the options are those of a run that prints predictions.

    Args:
        options: The options of the command.
        folder: The input folder, if one is given.

    Raises:
        UsageError: There is no picture, two kinds of input, or an option that needs files.
    """
    if not options.paths:
        if folder is None:
            raise UsageError(f"give pictures, or -i and -o with folders (see {PROGRAM} --help)")
        if not options.outputs:
            raise UsageError("-i needs -o; give a folder for the XML files, or --json to print")
    elif folder is not None:
        raise UsageError(f"{options.paths[0]}: cannot be used with -i; omit one of the two")
    elif options.writes_files:
        raise UsageError(f"{options.paths[0]}: with -o, give the folder of pictures with -i")
    for option in _find_options_for_files(options):
        needed = "-i and -o" if folder is None else "-o"
        raise UsageError(
            f"{option} needs {needed}; without -o, predictions are only printed, by default as "
            "text, with --json or --csv - for programs"
        )
    if options.paths.count(str(STANDARD_OUTPUT)) > 1:
        raise UsageError("-: standard input has one picture; give - once")


def _find_options_for_files(options: Options) -> list[str]:
    """Returns the given options that need the XML files, or write other files."""
    flags = {
        "--list": options.picture_list is not None,
        "--shard": options.shard is not None,
        "--resume": options.resume,
        "--watch": options.watch,
        "--corrections": options.corrections is not None,
        "--profile": options.profile,
    }
    files = [target.option for target in options.outputs if not target.is_streamed]
    return [*files, *(option for option, is_given in flags.items() if is_given)]

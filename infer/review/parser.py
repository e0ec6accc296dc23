"""Parses the command line of `image-gender-review`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.cli.argument_parser import ArgumentParser
from image_gender_classifier.cli.path_checks import check_file, check_folder, check_page
from image_gender_classifier.outputs.settings import CORRECTIONS_NAME
from image_gender_classifier.system.cores import MAX_DEFAULT_WORKERS, default_workers
from image_gender_classifier.version import __version__

PROGRAM = "image-gender-review"
_WIDTH = 90
_DESCRIPTION = (
    "Shows the predictions of image-gender-classifier in a browser, the most doubtful first, where "
    "a person can correct them."
)
_EPILOG = f"""\
examples:
  Review on this computer; every correction is saved at once:
    {PROGRAM} -i photos -o predictions --port 8765
  Write a page that needs no server; "Save corrections" downloads the corrections:
    {PROGRAM} -i photos -o predictions --html review.html
  Apply the corrections to the XML files:
    image-gender-classifier -i photos -o predictions --resume \\
        --corrections predictions/corrections.csv

exit codes:
  0    done
  2    wrong usage, or a folder, a file of corrections or OpenCV that cannot be used
  3    an output cannot be written
  4    an internal error or lack of memory
  130  interrupted; 143 terminated; 129 terminal closed
"""


class Options(NamedTuple):
    """The options of a review.

    Attributes:
        input: Folder of pictures.
        output: Folder of the XML files.
        html: The page to write; None to serve it.
        port: Port of the server; 0 for any free one, None for no server.
        corrections: File with the corrections.
        workers: Number of worker processes, which draw the thumbnails.
        quiet: Whether to print errors only.
        debug: Whether to print tracebacks and the standard error of the worker processes.
    """

    input: Path
    output: Path
    html: Path | None
    port: int | None
    corrections: Path
    workers: int
    quiet: bool
    debug: bool


def parse(argv: Sequence[str] | None) -> Options:
    """Parses the command line and checks the paths in it.

    Args:
        argv: Arguments without the name of the program; None for those of the process.

    Raises:
        UsageError: An option is wrong, or a path cannot be used.
        SystemExit: After `--help` or `--version`.
    """
    given = vars(build_parser().parse_args(argv))
    options = Options(**given)
    check_folder(options.input, "-i", os.R_OK | os.X_OK)
    check_folder(options.output, "-o", os.R_OK | os.X_OK)
    if options.corrections is None:
        options = options._replace(corrections=options.output / CORRECTIONS_NAME)
    if options.html is not None:
        check_page(options.html, "--html", options.input, options.output)
    check_file(options.corrections, "--corrections")
    return options


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    parser = ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s -i DIR -o DIR (--port N | --html FILE) [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=_WIDTH),
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-i", "--input", type=Path, required=True, metavar="DIR", help="folder of pictures")
    add(
        "-o", "--output", type=Path, required=True, metavar="DIR",
        help="folder with the XML files of image-gender-classifier",
    )  # fmt: skip
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument(
        "--port", type=_parse_port, metavar="N",
        help="serve the page on this port of 127.0.0.1 (0: any free port) until stopped, and save "
        "every correction at once",
    )  # fmt: skip
    way.add_argument(
        "--html", type=Path, metavar="FILE",
        help="write the page as this file and a folder next to it, which need no server",
    )  # fmt: skip
    add(
        "--corrections", type=Path, metavar="FILE",
        help=f"file with the corrections (default: {CORRECTIONS_NAME} in the -o folder)",
    )  # fmt: skip
    add(
        "--workers", type=_parse_positive, default=default_workers(), metavar="N",
        help="number of processes that draw thumbnails (default: one per core, at most "
        f"{MAX_DEFAULT_WORKERS}; here %(default)s)",
    )  # fmt: skip
    add("--quiet", action="store_true", help="print errors and the address of the page only")
    add(
        "--debug", action="store_true",
        help="print tracebacks and the standard error of the worker processes",
    )  # fmt: skip
    add("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser


def _parse_port(text: str) -> int:
    with suppress(ValueError):
        value = int(text)
        if 0 <= value < 2**16:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a port, 0 to 65535")


def _parse_positive(text: str) -> int:
    with suppress(ValueError):
        value = int(text)
        if value >= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a whole number, 1 or more")

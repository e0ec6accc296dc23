"""Builds the argument parser of the command: options in three groups, and their help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from image_gender_classifier.cli.argument_parser import ArgumentParser
from image_gender_classifier.cli.argument_types import (
    MAX_COPY_SIDE,
    Once,
    parse_bytes,
    parse_copy_side,
    parse_file,
    parse_folder,
    parse_min_face,
    parse_pixels,
    parse_positive,
    parse_probability,
)
from image_gender_classifier.cli.terminal import PROGRAM
from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.outputs import registry
from image_gender_classifier.outputs.registry import Entry
from image_gender_classifier.outputs.settings import DEFAULTS, Rows
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.settings import (
    MAX_BYTES,
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    MOST_PIXELS,
    SMALLEST_FACE,
)
from image_gender_classifier.system.console import print_line
from image_gender_classifier.system.cores import MAX_DEFAULT_WORKERS, default_workers
from image_gender_classifier.version import __version__

_WIDTH = 90  # columns of --help; querying the terminal would add a millisecond to each start
_DESCRIPTION = (
    "Writes one XML file for each picture of a folder, with the perceived gender of the person "
    "in it and the name of the picture; or prints a line for each of the given pictures."
)
_EPILOG = f"""\
examples:
  Classify a folder and also write a CSV table:
    {PROGRAM} -i photos -o results --csv results.csv
  Classify new pictures, subfolders included, and keep earlier results:
    {PROGRAM} -i photos -o results --recursive --resume
  Print a line for a picture, and a JSON object for one from standard input:
    {PROGRAM} alice.jpg
    {PROGRAM} --json - < alice.jpg

exit codes:
  0    every picture has a result; "no face" and "uncertain" are results. With --resume also:
       nothing was left to do, or only pictures that an earlier run reported as unreadable
  1    finished, but some pictures are unreadable: each has an XML file with the reason;
       a file deleted during the run keeps its earlier XML; or a subfolder, a file that may be a
       picture or a given path cannot be read, or the file of a picture could not be written to an
       output
  2    wrong usage, no picture in the folder or given paths, a folder that cannot be read, another
       run that writes to the output folder, or a model, runtime or OpenCV that does not work
  3    an output can no longer be written, for example because the disk is full
  4    finished, but some pictures failed: an internal error, a timeout or too little memory; each
       is reported and has no XML file; --resume tries them again. Or nothing was classified,
       because of an internal error or too little memory
  130  interrupted; 143 terminated; 129 terminal closed: finished results are kept, continue
       with --resume
  141  the program that reads standard output has ended, as with "| head -1"; only without -o
"""


class _Version(argparse.Action):
    """Prints the versions of the program and the installed runtime, then exits.

    Finding the runtime is slow, so it is done only for `--version`.
    """

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print_line(f"{PROGRAM} {__version__} ({runtimes.describe_installed()})", sys.stdout)
        parser.exit()


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line, in which options and pictures may stand in any order.

    Args:
        argv: Arguments without the program name; None for those of this process.

    Raises:
        UsageError: An argument is invalid.
        SystemExit: With code 0, after `--help` or `--version` has been printed.
    """
    parser = build_parser()
    given, rest = parser.parse_known_args(argv)
    # Parsing once is faster, but finds only the pictures before the first option.
    return parser.parse_intermixed_args(argv) if rest else given


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser, with an option for each output in `registry.OUTPUTS`."""
    parser = ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s -i DIR -o DIR [options]\n       %(prog)s PATH... [--json] [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=_WIDTH),
        allow_abbrev=False,
        add_help=False,
    )
    _add_everyday(parser.add_argument_group("everyday options"))
    _add_output_options(parser.add_argument_group("output options"))
    _add_expert(parser.add_argument_group("expert options"))
    return parser


def _add_everyday(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "paths", nargs="*", metavar="PATH",
        help="pictures, or folders of pictures, to print a line for, instead of -i and -o; -: the "
        "picture on standard input",
    )  # fmt: skip
    add(
        "-i", "--input", type=parse_folder, action=Once, metavar="DIR", help="folder of pictures"
    )  # fmt: skip
    _add_outputs(group, required=True)
    add(
        "--recursive", action="store_true",
        help="classify the pictures of subfolders too; the output has the same subfolders",
    )  # fmt: skip
    add(
        "--resume", action="store_true",
        help="keep the XML files that an earlier run wrote for the same picture, model and options",
    )  # fmt: skip
    add(
        "--watch", action="store_true",
        help="keep running and classify new pictures as they arrive; keeps valid XML files, as "
        "--resume does; cannot be used with outputs that are single files or with --profile",
    )  # fmt: skip
    add(
        "--threshold", type=parse_probability, metavar="P",
        help="confidence (0 to 1) below which a picture is uncertain and its gender unknown "
        "(default: the threshold in the manifest of the model)",
    )  # fmt: skip
    add(
        "--always", action="store_true",
        help="the likelier gender for every face, however low its confidence: --threshold 0.5",
    )  # fmt: skip
    add(
        "--corrections", type=Path, action=Once, metavar="FILE",
        help="corrections.csv of image-gender-review: what a person said about a picture replaces "
        "its prediction",
    )  # fmt: skip
    add("--quiet", action="store_true", help="print errors only")
    add("--verbose", action="store_true", help="print each step of the run")
    add("-h", "--help", action="help", help="print this help")
    add(
        "--version", action=_Version, nargs=0, default=argparse.SUPPRESS,
        help="print the versions of the program and the runtime",
    )  # fmt: skip


def _add_outputs(group: argparse._ArgumentGroup, required: bool) -> None:
    """Adds the options of all required outputs, or of all others if `required` is False."""
    for entry in registry.OUTPUTS:
        if entry.required == required:
            convert = parse_file if entry.kind == "file" else parse_folder
            group.add_argument(
                *entry.options, dest=output_key(entry), type=convert, action=Once,
                metavar=entry.metavar, help=entry.help,
            )  # fmt: skip


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    _add_outputs(group, required=False)
    add = group.add_argument
    add(
        "--json", action="store_true",
        help="print one JSON object per picture, one per line: --jsonl -",
    )  # fmt: skip
    add(
        "--rows", choices=get_args(Rows), default=DEFAULTS.rows,
        help="what tables have a row for: each picture, or each face (default: %(default)s)",
    )  # fmt: skip
    add(
        "--csv-bom", action="store_true",
        help="begin the CSV table with a byte order mark, so that Excel shows all letters",
    )  # fmt: skip
    add(
        "--annotate-size", type=parse_copy_side, default=DEFAULTS.annotate_size, metavar="N",
        help=f"longest side of annotated copies in pixels, at most {MAX_COPY_SIDE} (default: "
        "%(default)s)",
    )  # fmt: skip
    add(
        "--summary", choices=("text", "json"), default="text",
        help="form of the last line on standard output; json: an object for programs, also with "
        "--quiet (default: %(default)s)",
    )  # fmt: skip
    add(
        "--progress", choices=("auto", "json", "none"), default="auto",
        help="progress on standard error; auto: a bar if it is a terminal; json: JSON lines for "
        "programs (default: %(default)s)",
    )  # fmt: skip


def _add_expert(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--model", metavar="FILE",
        help="model file, in the same folder as its manifest.json (default: the shipped model)",
    )  # fmt: skip
    add(
        "--runtime", choices=runtimes.runtime_choices(), default=runtimes.AUTO,
        help=f"runtime for the model; {runtimes.AUTO}: the first available of "
        f"{runtimes.describe_runtimes()} (default: %(default)s)",
    )  # fmt: skip
    add(
        "--detector", choices=detectors.detector_names(), default="network",
        help=f"face detector; {detectors.describe_detectors()} (default: %(default)s)",
    )  # fmt: skip
    add(
        "--min-face", type=parse_min_face, metavar="S",
        help=f"smallest face to detect, as a fraction of the shorter side of the picture "
        f"({SMALLEST_FACE} to 1); a smaller value takes longer and finds more false faces "
        "(default: faces of about 6 %% of the longer side and up)",
    )  # fmt: skip
    add(
        "--all-faces", action="store_true",
        help="classify every face, not only the largest and most central; for small faces also "
        "give --min-face",
    )  # fmt: skip
    add(
        "--hidden", action="store_true",
        help="also classify files and folders that operating systems, network storage and "
        "browsers leave, such as ._*, Thumbs.db, *.part, *.crdownload, __MACOSX, @eaDir and "
        ".Trash-*; with --watch also all files whose names begin with a dot",
    )  # fmt: skip
    add(
        "--list", action=Once, metavar="FILE", dest="picture_list",
        help="classify the pictures that FILE names, one path per line, relative to the input "
        "folder, instead of listing the folder; -: standard input",
    )  # fmt: skip
    add("-0", "--null", action="store_true", help="NUL instead of line feeds in --list")
    add(
        "--shard", metavar="K/N",
        help="classify only the K-th of N parts of the pictures, for job arrays; the parts may be "
        "written to one folder at the same time, and K/N goes into the names of single files "
        "(default: the environment variable SHARD, otherwise all pictures)",
    )  # fmt: skip
    add(
        "--workers", type=parse_positive, metavar="N",
        default=default_workers(),
        help=f"number of worker processes (default: one per core, at most {MAX_DEFAULT_WORKERS}; "
        "here %(default)s)",
    )  # fmt: skip
    add(
        "--max-pixels", type=parse_pixels, metavar="N",
        help=f"refuse pictures with more than N pixels; N is at most {MOST_PIXELS} (default: "
        f"{MAX_JPEG_PIXELS} for a JPEG that can be decoded at a reduced size, {MAX_PIXELS} for "
        "all others)",
    )  # fmt: skip
    add(
        "--max-bytes", type=parse_bytes, default=MAX_BYTES, metavar="N",
        help="refuse files with more than N bytes (default: %(default)s)",
    )  # fmt: skip
    add(
        "--profile", action="store_true",
        help="print the wall time of each stage, including waiting",
    )  # fmt: skip
    add(
        "--debug", action="store_true",
        help="like --verbose with more details; also print tracebacks and the standard error of "
        "the workers",
    )  # fmt: skip


def output_key(entry: Entry) -> str:
    """Returns the argparse `dest` of the option of an output."""
    return f"output {entry.name}"

"""Parses the command line of `image-gender-ray`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, get_args

from image_gender_classifier.cli.argument_parser import ArgumentParser
from image_gender_classifier.cli.argument_types import (
    parse_bytes,
    parse_min_face,
    parse_pixels,
    parse_positive,
    parse_probability,
)
from image_gender_classifier.cluster.dataset import BATCH
from image_gender_classifier.cluster.formats import Format
from image_gender_classifier.cluster.messages import PROGRAM
from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.settings import MAX_BYTES, Settings
from image_gender_classifier.version import __version__

_WIDTH = 90
_AS_IN_COMMAND = "as of image-gender-classifier"

_DESCRIPTION = (
    "Classifies pictures on a Ray cluster, from folders, object stores, tar or Parquet files. "
    "Writes Parquet files with one row per picture."
)
_EPILOG = f"""\
examples:
  Classify the pictures of a bucket on a running cluster, and continue after an interruption:
    {PROGRAM} --input s3://bucket/photos --output s3://bucket/predictions --address auto --resume
  Classify pictures in tar archives with the CPUs of this machine:
    {PROGRAM} --input archives --output predictions --format tar

exit codes:
  0    every picture has a result, or --resume found nothing left to do
  1    finished, but some pictures, archives, subfolders or files are unreadable
  2    wrong usage, or an input, cluster, model or runtime that cannot be used
  3    the output cannot be written or read
  4    some pictures failed, for example by a timeout, or Ray did, or there was an internal error;
       --resume tries them again
  130  interrupted; 143 terminated; 129 terminal closed: continue with --resume
"""


class Options(NamedTuple):
    """The options of a run.

    Attributes:
        input: URI or path of the pictures.
        output: URI or path of the folder for the predictions.
        form: What the files of the input are; None to tell it from its name.
        columns: Names of the Parquet columns with paths and contents.
        address: Address of the cluster; None for RAY_ADDRESS, or one on this machine.
        workers: Number of workers; None for one per CPU but one.
        batch: Number of pictures that a worker takes at a time.
        rows_per_file: Number of rows of each output file.
        resume: Whether to keep valid rows of earlier runs.
        settings: The settings of the classifier.
        quiet: Whether to print errors only.
        debug: Whether to show Ray's messages and tracebacks.
    """

    input: str
    output: str
    form: Format | None
    columns: tuple[str, str]
    address: str | None
    workers: int | None
    batch: int
    rows_per_file: int
    resume: bool
    settings: Settings
    quiet: bool
    debug: bool


def parse(argv: Sequence[str] | None) -> Options:
    """Parses the command line.

    Args:
        argv: Arguments without the name of the program; None for those of the process.

    Raises:
        UsageError: An option is wrong.
        SystemExit: After `--help` or `--version`.
    """
    given = vars(build_parser().parse_args(argv))
    columns = given.pop("path_column"), given.pop("bytes_column")
    settings = Settings(**{name: given.pop(name) for name in Settings._fields})
    return Options(form=given.pop("format"), columns=columns, settings=settings, **given)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    parser = ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s --input URI --output URI [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=_WIDTH),
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "-i", "--input", required=True, metavar="URI",
        help="pictures: a folder, prefix or file, with all that is below it",
    )  # fmt: skip
    add(
        "-o", "--output", required=True, metavar="URI",
        help="folder or prefix for the Parquet files; created if it is not there",
    )  # fmt: skip
    add(
        "--format", choices=get_args(Format),
        help="what the files of the input are (default: parquet or tar if the name of the input "
        "ends so, otherwise pictures)",
    )  # fmt: skip
    add(
        "--path-column", default="path", metavar="NAME",
        help="column of Parquet files with the paths of the pictures (default: %(default)s)",
    )  # fmt: skip
    add(
        "--bytes-column", default="bytes", metavar="NAME",
        help="column of Parquet files with their contents (default: %(default)s)",
    )  # fmt: skip
    add(
        "--address", metavar="ADDRESS",
        help="address of the cluster; auto: the one of this machine (default: the environment "
        "variable RAY_ADDRESS, otherwise Ray is started on this machine)",
    )  # fmt: skip
    add(
        "--workers", type=parse_positive, metavar="N",
        help="number of workers, each with a CPU (default: the CPUs of the cluster but one)",
    )  # fmt: skip
    add(
        "--batch", type=parse_positive, default=BATCH, metavar="N",
        help="pictures that a worker takes at a time (default: %(default)s)",
    )  # fmt: skip
    add(
        "--rows-per-file", type=parse_positive, default=10_000, metavar="N",
        help="rows of each Parquet file, which is written when it has so many (default: "
        "%(default)s)",
    )  # fmt: skip
    add("--resume", action="store_true", help="keep the valid rows of earlier runs")
    add("--threshold", type=parse_probability, metavar="P", help=_AS_IN_COMMAND)
    add("--min-face", type=parse_min_face, metavar="S", help=_AS_IN_COMMAND)
    add("--all-faces", action="store_true", help=_AS_IN_COMMAND)
    add("--detector", choices=detectors.detector_names(), default="network", help=_AS_IN_COMMAND)
    add(
        "--runtime", choices=runtimes.runtime_choices(), default=runtimes.AUTO,
        help=_AS_IN_COMMAND,
    )  # fmt: skip
    add("--model", metavar="FILE", help="model file, at the same path on each node")
    add("--max-pixels", type=parse_pixels, metavar="N", help=_AS_IN_COMMAND)
    add("--max-bytes", type=parse_bytes, default=MAX_BYTES, metavar="N", help=_AS_IN_COMMAND)
    add("--quiet", action="store_true", help="print errors only")
    add(
        "--debug", action="store_true",
        help="print the messages and the progress of Ray, and tracebacks",
    )  # fmt: skip
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return parser

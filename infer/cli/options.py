"""The command's options: what the user typed, as one frozen record."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn

from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import (
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    MOST_PIXELS,
)
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.settings import MAX_BYTES, SMALLEST_FACE, Settings
from image_gender_classifier.system.cores import cores
from image_gender_classifier.version import __version__

PROGRAM = "image-gender-classifier"
_MOST_WORKERS = 64  # unless more are asked for: each takes four of usually 1,024 open files
_WIDTH = 90  # columns of the help; asking the terminal would cost every start a millisecond
_DESCRIPTION = (
    "Writes one XML file for each picture of a folder, with the perceived gender of the person "
    "in it and the picture's name."
)
_EXIT_CODES = """\
exit codes:
  0    every picture has a verdict (no face and uncertain are verdicts), or --resume found
       nothing left to do; unreadable pictures that it knows already do not count
  1    finished, but this run met unreadable pictures (each has its XML that says why, or keeps
       the one that it had if it has gone meanwhile)
  2    wrong usage, no picture in the folder, a folder that cannot be read, another run is writing
       into the output folder, or a model, runtime or OpenCV that cannot be used
  3    the output can no longer be written
  130  interrupted, 143 terminated, 129 its terminal was closed: finished verdicts are kept,
       --resume goes on
"""


class Options(NamedTuple):
    """What one run is asked to do.

    Attributes:
        input: Folder of pictures.
        output: Existing folder for the XML files.
        choices: How pictures are judged.
        recursive: Judge the folders below the input too.
        workers: Pictures judged at a time.
        resume: Keep verdicts of an earlier run that still hold.
        watch: Go on judging pictures as they arrive.
        csv: File for one CSV row a picture, or None.
        jsonl: File for one JSON line a picture, or None.
        annotate: Existing folder for copies with the verdicts drawn on them, or None.
        contact_sheet: File for a page with the doubtful pictures, or None.
        profile: Say in the end how long each stage took.
        quiet: Print errors only.
    """

    input: Path
    output: Path
    choices: Settings
    recursive: bool
    workers: int
    resume: bool
    watch: bool
    csv: Path | None
    jsonl: Path | None
    annotate: Path | None
    contact_sheet: Path | None
    profile: bool
    quiet: bool

    @property
    def files(self) -> dict[str, Path]:
        """The files that are written beside the XML, by the option that asks for each."""
        wanted = {
            "--csv": self.csv,
            "--jsonl": self.jsonl,
            "--contact-sheet": self.contact_sheet,
        }
        return {option: path for option, path in wanted.items() if path is not None}


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {PROGRAM} --help)")


def parse(argv: Sequence[str] | None) -> Options:
    """Reads the command line.

    Raises:
        UsageError: It asks for something that cannot be done.
        SystemExit: After `--help` and `--version`.
    """
    given = vars(_parser().parse_args(argv))
    choices = Settings(**{name: given.pop(name) for name in Settings._fields})
    options = Options(choices=choices, **given)
    _check_folder(options.input, "-i", os.R_OK | os.X_OK)
    _check_folder(options.output, "-o", os.W_OK | os.X_OK)
    if options.annotate is not None:
        _check_folder(options.annotate, "--annotate", os.W_OK | os.X_OK)
    if options.watch and (without := [*options.files, *(["--profile"] * options.profile)]):
        raise UsageError(
            f"{without[0]}: cannot be used with --watch; it is written when a run ends"
        )
    known: dict[Path, str] = {}
    for name, path in options.files.items():
        _check_file(path, name)
        other = known.setdefault(path.resolve(), name)
        if other != name:
            raise UsageError(f"{other} and {name} {path}: need a file each")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=_WIDTH),
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-i", "--input", type=_folder, required=True, metavar="DIR", help="folder of pictures")
    add(
        "-o", "--output", type=_folder, required=True, metavar="DIR",
        help="existing folder for the XML files",
    )  # fmt: skip
    add(
        "--model", metavar="FILE",
        help="a .tflite or .onnx model beside its manifest.json (default: the shipped model)",
    )  # fmt: skip
    add(
        "--runtime", choices=runtimes.choices(), default=runtimes.AUTO,
        help=f"what runs the model; {runtimes.AUTO}: the first available of {runtimes.describe()} "
        "(default: %(default)s)",
    )  # fmt: skip
    add(
        "--detector", choices=detectors.choices(), default="cascade",
        help=f"how faces are found; {detectors.describe()} (default: %(default)s)",
    )  # fmt: skip
    add(
        "--min-face", type=smallest_face, metavar="S",
        help=f"the smallest face to look for, as a share of the picture's shorter side, "
        f"{SMALLEST_FACE} to 1; smaller ones are left out, even if found; less takes longer, and "
        "finds more that is no face (default: what one look at the picture shows, from about 0.12 "
        "of the longer side on)",
    )  # fmt: skip
    add(
        "--recursive", action="store_true",
        help="judge the folders below DIR too and mirror them in the output (default: no)",
    )  # fmt: skip
    add(
        "--threshold", type=_probability, metavar="P",
        help="confidence from 0 to 1 below which a verdict is uncertain and the gender unknown "
        "(default: the model's own, from its manifest)",
    )  # fmt: skip
    add(
        "--workers", type=_positive, default=min(cores(), _MOST_WORKERS), metavar="N",
        help=f"pictures judged at a time (default: one a core up to {_MOST_WORKERS}, "
        "here %(default)s)",
    )  # fmt: skip
    add(
        "--resume", action="store_true",
        help="keep the XML files that were made from the same picture, model and options "
        "(default: judge every picture anew)",
    )  # fmt: skip
    add(
        "--watch", action="store_true",
        help="go on judging pictures as they arrive, until it is stopped; verdicts that still hold "
        "are kept, and there are no tables, no contact sheet and no profile (default: no)",
    )  # fmt: skip
    add("--csv", type=Path, metavar="FILE", help="also write one CSV row a picture (default: no)")
    add(
        "--jsonl", type=Path, metavar="FILE",
        help="also write one JSON object a picture and line (default: no)",
    )  # fmt: skip
    add(
        "--all-faces", action="store_true",
        help="judge all faces, not only the largest and most central, and search on where one is "
        "found already; for small ones choose a smallest face as well (default: no)",
    )  # fmt: skip
    add(
        "--annotate", type=Path, metavar="DIR",
        help="also write a copy of each picture with boxes and verdict drawn on it into this "
        "existing folder (default: no)",
    )  # fmt: skip
    add(
        "--contact-sheet", type=Path, metavar="FILE",
        help="also write an HTML page with small copies of the doubtful pictures: uncertain, or "
        "without a face (default: no)",
    )  # fmt: skip
    add(
        "--max-pixels", type=_pixels, metavar="N",
        help=f"refuse pictures of more pixels, at most {MOST_PIXELS} (default: {MAX_JPEG_PIXELS} "
        f"for a JPEG that can be decoded straight to a smaller size, {MAX_PIXELS} for all others)",
    )  # fmt: skip
    add(
        "--max-bytes", type=_positive, default=MAX_BYTES, metavar="N",
        help="refuse files of more bytes (default: %(default)s)",
    )  # fmt: skip
    add(
        "--profile", action="store_true",
        help="print on standard error in the end how long each stage took (default: no)",
    )  # fmt: skip
    add("--quiet", action="store_true", help="print errors only (default: no)")
    add("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser


def _check_folder(folder: Path, option: str, access: int) -> None:
    mode = _mode(folder, option)
    if mode is None:
        raise UsageError(f"{option} {folder}: the folder does not exist")
    if not stat.S_ISDIR(mode):
        raise UsageError(f"{option} {folder}: is not a folder")
    if not os.access(folder, access):
        verb = "read" if access & os.R_OK else "written to"
        raise UsageError(f"{option} {folder}: the folder may not be {verb}")


def _check_file(path: Path, option: str) -> None:
    if path.name == "-":
        raise UsageError(f"{option} -: standard output cannot be had; give a file")
    if _mode(path.parent, option) is None:
        raise UsageError(f"{option} {path}: the folder {path.parent} does not exist")
    mode = _mode(path, option)
    if mode is not None and not stat.S_ISREG(mode):  # it would take a device's place
        raise UsageError(f"{option} {path}: is not a regular file")
    if path.is_symlink():  # it would take the link's place
        raise UsageError(f"{option} {path}: is a link; give the file itself")


def _mode(path: Path, option: str) -> int | None:
    """What kind of file a path is (`st_mode`), None if there is none."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be used ({error.strerror})") from None


def _probability(text: str) -> float:
    with suppress(ValueError):
        value = float(text)
        if 0 <= value <= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")


def smallest_face(text: str) -> float:
    """Reads the share that `--min-face` is given as."""
    with suppress(ValueError):
        value = float(text)
        if SMALLEST_FACE <= value <= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not between {SMALLEST_FACE} and 1")


def _folder(text: str) -> Path:
    if not text:  # an unset variable in a script, which would mean the present folder
        raise argparse.ArgumentTypeError("the folder's name is empty; for this folder give .")
    return Path(text)


def _pixels(text: str) -> int:
    value = _positive(text)
    if value > MOST_PIXELS:
        raise argparse.ArgumentTypeError(f"{text} is more than {MOST_PIXELS}")
    return value


def _positive(text: str) -> int:
    with suppress(ValueError):
        value = int(text)
        if value >= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a whole number, 1 or more")

"""The options of one run as a frozen record, and the checks of its paths."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.cli import parser
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs import registry
from image_gender_classifier.outputs.registry import Target
from image_gender_classifier.settings import Settings


class Options(NamedTuple):
    """What the user asks for.

    Attributes:
        input: Folder of pictures.
        outputs: The outputs to write, in the order of the registry.
        settings: How pictures are classified.
        recursive: Classify the pictures of subfolders too.
        hidden: Classify by-products and unfinished copies too.
        workers: Number of worker processes.
        resume: Keep results of an earlier run that are still valid.
        watch: Wait for new pictures until stopped.
        profile: Print how long each stage takes.
        quiet: Print errors only.
        verbose: Print each step.
        debug: Print details of each step, and tracebacks and standard error of the workers.
    """

    input: Path
    outputs: tuple[Target, ...]
    settings: Settings
    recursive: bool
    hidden: bool
    workers: int
    resume: bool
    watch: bool
    profile: bool
    quiet: bool
    verbose: bool
    debug: bool


def parse(argv: Sequence[str] | None) -> Options:
    """Reads the command line.

    Raises:
        UsageError: An option cannot be met.
        SystemExit: After `--help` and `--version`.
    """
    given = vars(parser.build().parse_args(argv))
    # An option that changes predictions has the name of a field of Settings (its argparse dest).
    settings = Settings(**{name: given.pop(name) for name in Settings._fields})
    paths = [(entry, given.pop(parser.output_key(entry))) for entry in registry.OUTPUTS]
    outputs = tuple(Target(entry, path) for entry, path in paths if path is not None)
    given["verbose"] |= given["debug"]
    options = Options(settings=settings, outputs=outputs, **given)
    if options.quiet and options.verbose:
        raise UsageError("--quiet cannot be used with --verbose or --debug")
    _check_folder(options.input, "-i", os.R_OK | os.X_OK)
    _check_outputs(outputs)
    if options.watch:
        _check_watch(options)
    return options


def _check_outputs(targets: Sequence[Target]) -> None:
    files: dict[Path, str] = {}
    for target in targets:
        if target.entry.kind == "folder":
            _check_folder(target.path, target.option, os.W_OK | os.X_OK)
            continue
        _check_file(target.path, target.option)
        other = files.setdefault(target.path.resolve(), target.option)
        if other != target.option:
            raise UsageError(f"{other} and {target.option} {target.path}: give different files")


def _check_watch(options: Options) -> None:
    """Refuses outputs that are complete only when a run ends, or are pictures to classify."""
    unfit = [target.option for target in options.outputs if target.entry.kind == "file"]
    if options.profile:
        unfit.append("--profile")
    if unfit:
        raise UsageError(f"{unfit[0]}: cannot be used with --watch; it is written when a run ends")
    from image_gender_classifier.scan import is_picture_name  # late: --help does without

    for target in options.outputs:
        if is_picture_name(target.entry.suffix) and target.path.samefile(options.input):
            raise UsageError(
                f"{target.option} {target.path}: is the watched folder; each file in it would be "
                "classified as a new picture"
            )


def _check_folder(folder: Path, option: str, access: int) -> None:
    mode = _mode(folder, option)
    if mode is None:
        raise UsageError(f"{option} {folder}: the folder does not exist")
    if not stat.S_ISDIR(mode):
        raise UsageError(f"{option} {folder}: is not a folder")
    if not os.access(folder, access):
        verb = "read" if access & os.R_OK else "written to"
        raise UsageError(f"{option} {folder}: the folder cannot be {verb}")


def _check_file(path: Path, option: str) -> None:
    if path.name == "-":
        raise UsageError(f"{option} -: standard output is not supported; give a file")
    if _mode(path.parent, option) is None:
        raise UsageError(f"{option} {path}: the folder {path.parent} does not exist")
    mode = _mode(path, option)
    if mode is not None and not stat.S_ISREG(mode):  # writing would replace a device
        raise UsageError(f"{option} {path}: is not a regular file")
    if path.is_symlink():  # writing would replace the link
        raise UsageError(f"{option} {path}: is a link; give the file itself")


def _mode(path: Path, option: str) -> int | None:
    """Returns the `st_mode` of a path, None if nothing exists there."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be used ({error.strerror})") from None

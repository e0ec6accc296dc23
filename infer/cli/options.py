"""Parses the command line and checks the paths in it."""

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
    """The options of a run.

    Attributes:
        input: Folder of pictures.
        outputs: The outputs to write, in the order of the registry.
        settings: Settings of the classifier.
        recursive: Whether to include subfolders.
        hidden: Whether to include system junk files and partial downloads; see `system.clutter`.
        workers: Number of worker processes.
        resume: Whether to keep results of an earlier run that are still valid.
        watch: Whether to keep running and classify new pictures as they arrive.
        profile: Whether to print how long each stage takes.
        quiet: Whether to print errors only.
        verbose: Whether to print each step.
        debug: Whether to print details of each step, tracebacks, and the workers' standard error.
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
    """Parses the command line and checks the paths in it.

    Args:
        argv: Arguments without the name of the program; None for those of the process.

    Returns:
        The options.

    Raises:
        UsageError: An option is wrong, or a path cannot be used.
        SystemExit: After `--help` or `--version`.
    """
    given = vars(parser.build_parser().parse_args(argv))
    # The argparse dest of an option that changes predictions is the name of a field of Settings.
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
    """Refuses outputs that are incomplete until a run ends, or that would be classified."""
    unfit = [target.option for target in options.outputs if target.entry.kind == "file"]
    if options.profile:
        unfit.append("--profile")
    if unfit:
        raise UsageError(f"{unfit[0]}: cannot be used with --watch; it needs a run that ends")
    from image_gender_classifier.scan import is_picture_name  # late: --help does not need it

    for target in options.outputs:
        if is_picture_name(target.entry.suffix) and target.path.samefile(options.input):
            raise UsageError(
                f"{target.option} {target.path}: is the watched folder, where each file would "
                "be classified; give another folder"
            )


def _check_folder(folder: Path, option: str, access: int) -> None:
    mode = _mode(folder, option)
    if mode is None:
        raise UsageError(f"{option} {folder}: the folder does not exist; create it")
    if not stat.S_ISDIR(mode):
        raise UsageError(f"{option} {folder}: not a folder; give a folder")
    if not os.access(folder, access):
        needed, flags = ("readable", "rx") if access & os.R_OK else ("writable", "wx")
        raise UsageError(
            f"{option} {folder}: permission denied; the folder must be {needed} (chmod u+{flags})"
        )


def _check_file(path: Path, option: str) -> None:
    if path.name == "-":
        raise UsageError(f"{option} -: standard output is not supported; give a file")
    if _mode(path.parent, option) is None:
        raise UsageError(f"{option} {path}: the folder {path.parent} does not exist; create it")
    mode = _mode(path, option)
    if mode is not None and not stat.S_ISREG(mode):  # writing would replace a device
        raise UsageError(f"{option} {path}: not a regular file; give another path")
    if path.is_symlink():  # writing would replace the symbolic link
        raise UsageError(f"{option} {path}: a symbolic link; give the path of the file itself")


def _mode(path: Path, option: str) -> int | None:
    """Returns the `st_mode` of a path; None if nothing exists there."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None
    except OSError as error:
        raise UsageError(f"{option} {path}: the path cannot be used ({error.strerror})") from None

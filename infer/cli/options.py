"""Parses the command line and checks the paths in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from image_gender_classifier.cli import parser
from image_gender_classifier.cli.path_checks import check_file, check_folder, check_page, read_mode
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs import registry
from image_gender_classifier.outputs.registry import Target
from image_gender_classifier.outputs.settings import STANDARD_OUTPUT, OutputSettings
from image_gender_classifier.settings import Settings

if TYPE_CHECKING:
    from image_gender_classifier.cli.shards import Shard

_LIKELIER = 0.5  # the lowest confidence that a gender can have


class Options(NamedTuple):
    """The options of a run.

    Attributes:
        input: Folder of pictures; the current folder if there are `paths`.
        paths: Pictures and folders to print predictions for, `-` for standard input; empty if the
            pictures are those of `input`.
        outputs: The outputs to write, in the order of the registry. Without the required one, the
            predictions are only printed.
        output_settings: The options that the outputs depend on.
        settings: Settings of the classifier.
        recursive: Whether to include subfolders.
        hidden: Whether to include system junk files and partial downloads; see `system.junk`.
        picture_list: File with the paths of the pictures, `-` for standard input; None to list the
            input folder.
        null: Whether NUL separates the paths in the list.
        shard: The part of the pictures to classify; None for all.
        workers: Maximum number of worker processes; without `--watch`, at most one per picture is
            used.
        resume: Whether to keep predictions of an earlier run that are still valid.
        corrections: File with the corrections of a person; None for none.
        watch: Whether to keep running and classify new pictures as they arrive.
        profile: Whether to print how long each stage takes.
        summary: Whether the summary is a line of text or a JSON object.
        progress: Whether to show a bar if standard error is a terminal, or to print JSON lines.
        quiet: Whether to print errors only.
        verbose: Whether to print each step; also set by `--debug`.
        debug: Whether to print details of each step, tracebacks, and the workers' standard error.
    """

    input: Path
    paths: tuple[str, ...]
    outputs: tuple[Target, ...]
    output_settings: OutputSettings
    settings: Settings
    recursive: bool
    hidden: bool
    picture_list: str | None
    null: bool
    shard: Shard | None
    workers: int
    resume: bool
    corrections: Path | None
    watch: bool
    profile: bool
    summary: Literal["text", "json"]
    progress: Literal["auto", "json", "none"]
    quiet: bool
    verbose: bool
    debug: bool

    @property
    def writes_files(self) -> bool:
        """Whether the run writes files; otherwise it only prints predictions."""
        return any(target.entry.required for target in self.outputs)

    @property
    def prints_predictions(self) -> bool:
        """Whether predictions go to standard output."""
        return not self.writes_files or any(target.is_streamed for target in self.outputs)


def parse_options(argv: Sequence[str] | None) -> Options:
    """Parses the command line and checks the paths in it.

    Args:
        argv: Arguments without the program name; None for those of this process.

    Returns:
        The options.

    Raises:
        UsageError: An option is invalid, options exclude each other, or a path cannot be used.
        SystemExit: With code 0, after `--help` or `--version` has been printed.
    """
    given = vars(parser.parse_arguments(argv))
    # The argparse dest of an option that changes predictions is the name of a field of Settings.
    settings = Settings(**{name: given.pop(name) for name in Settings._fields})
    paths = [(entry, given.pop(parser.output_key(entry))) for entry in registry.OUTPUTS]
    if given.pop("json"):
        paths = [_stream_json(entry, path) for entry, path in paths]
    outputs = tuple(Target(entry, path) for entry, path in paths if path is not None)
    writes_files = any(target.entry.required for target in outputs)
    given["shard"] = _read_shard(given["shard"], writes_files)
    if given["shard"] is not None:
        outputs = _name_parts(outputs, given["shard"])
    given["verbose"] |= given["debug"]
    if given.pop("always"):
        if settings.threshold is not None:
            raise UsageError("--always stands for --threshold 0.5; give one of the two")
        settings = settings._replace(threshold=_LIKELIER)
    of_outputs = {name: given.pop(name) for name in OutputSettings._fields if name in given}
    folder, given["paths"] = given.pop("input"), tuple(given["paths"])
    pictures = folder or Path()
    options = Options(
        input=pictures,
        outputs=outputs,
        output_settings=OutputSettings(pictures=pictures, **of_outputs),
        settings=settings,
        **given,
    )
    if options.quiet and options.verbose:
        raise UsageError("--quiet cannot be used with --verbose or --debug; omit one of them")
    if options.null and options.picture_list is None:
        raise UsageError("-0 is for --list; omit it, or give a list")
    if options.paths or not options.writes_files:
        from image_gender_classifier.cli.picture_options import check_print_run  # rarely needed

        check_print_run(options, folder)
    elif folder is None:
        raise UsageError("-o needs -i; give the folder of pictures")
    if folder is not None:
        check_folder(folder, "-i", os.R_OK | os.X_OK)
    _check_outputs(outputs, options.input)
    _check_sorted(outputs, options.input)
    if options.corrections is not None:
        _check_corrections(options.corrections, outputs)
    if options.watch:
        _check_watch(options)
    return options


def _stream_json(entry: registry.Entry, path: Path | None) -> tuple[registry.Entry, Path | None]:
    """Returns an output with the path that it has with `--json`."""
    if entry.name != "jsonl":
        return entry, path
    if path not in (None, STANDARD_OUTPUT):
        raise UsageError("--json stands for --jsonl -; give one of the two")
    return entry, STANDARD_OUTPUT


def _read_shard(option: str | None, writes_files: bool) -> Shard | None:
    """Returns the part to classify; the environment variable is for runs that write files."""
    if option is None and not (writes_files and os.environ.get("SHARD")):
        return None
    from image_gender_classifier.cli.shards import read_shard  # late: rarely needed

    return read_shard(option)


def _name_parts(targets: Sequence[Target], shard: Shard) -> tuple[Target, ...]:
    """Returns the outputs of a part: other tasks must not replace those that are single files."""
    from image_gender_classifier.cli.shards import name_part

    return tuple(
        target._replace(path=name_part(target.path, shard)) if target.is_file else target
        for target in targets
    )


def _check_outputs(targets: Sequence[Target], pictures: Path) -> None:
    """Checks that each output can be written and that no two outputs are the same file.

    Args:
        targets: The outputs.
        pictures: The input folder.

    Raises:
        UsageError: An output cannot be written, or two outputs are the same file.
    """
    files: dict[Path, str] = {}
    for target in targets:
        if target.entry.kind == "folder":
            check_folder(target.path, target.option, os.W_OK | os.X_OK)
            continue
        if target.entry.files_beside:
            (xml,) = (one.path for one in targets if one.entry.required)
            check_page(target.path, target.option, pictures, xml)
        elif not target.is_streamed:
            check_file(target.path, target.option)
        other = files.setdefault(target.path.resolve(), target.option)
        if other != target.option:
            place = "print to standard output" if target.is_streamed else "write this file"
            raise UsageError(
                f"{other} and {target.option} {target.path}: both would {place}; give "
                "different files"
            )


def _check_sorted(targets: Sequence[Target], pictures: Path) -> None:
    """Refuses outputs whose pictures would be classified, or that would replace pictures."""
    for target in targets:
        if not target.entry.in_subfolders:
            continue
        source, sorted_ = pictures.resolve(), target.path.resolve()
        if source == sorted_ or sorted_ in source.parents:
            raise UsageError(
                f"{target.option} {target.path}: is the input folder or above it; give another "
                "folder"
            )


def _check_corrections(path: Path, targets: Sequence[Target]) -> None:
    mode = read_mode(path, "--corrections")
    if mode is None or not stat.S_ISREG(mode):
        fault = "no such file" if mode is None else "not a regular file"
        raise UsageError(f"--corrections {path}: {fault}; give one of image-gender-review")
    for target in targets:
        if target.is_file and target.path.resolve() == path.resolve():
            raise UsageError(
                f"{target.option} {target.path}: would overwrite the file of --corrections; "
                "choose another output"
            )


def _check_watch(options: Options) -> None:
    """Checks that `--watch` can be combined with the other options.

    Raises:
        UsageError: An option needs a run that ends, or an output would add pictures to the watched
            folder.
    """
    unfit = [target.option for target in options.outputs if target.is_file]
    if options.profile:
        unfit.append("--profile")
    if options.picture_list is not None:
        unfit.append("--list")
    if options.shard is not None:
        unfit.append("--shard")
    if options.summary != "text":
        unfit.append("--summary")
    if options.progress == "json":
        unfit.append("--progress")
    if unfit:
        raise UsageError(
            f"{unfit[0]} cannot be used with --watch, because it needs a run that ends; omit one "
            "of the two options"
        )
    from image_gender_classifier.scan import is_picture_name  # late: --help does not need it

    for target in options.outputs:
        if is_picture_name(target.entry.suffix) and target.path.samefile(options.input):
            raise UsageError(
                f"{target.option} {target.path}: this is the watched folder, where each written "
                "file would be classified; give another folder"
            )

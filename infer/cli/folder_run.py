"""Runs the command on a folder: scan, skip known pictures, classify, write, report."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

from image_gender_classifier.cli import session, writing
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.overwrite import refuse_overwriting
from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.cli.subfolders import count_subfolder_pictures
from image_gender_classifier.cli.terminal import tell
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.file_system import detect_name_rules
from image_gender_classifier.outputs.registry import list_output_folders
from image_gender_classifier.system import logs, profiling
from image_gender_classifier.system.console import say
from image_gender_classifier.workers.supervisor import Outcome, Supervisor


class RunReport(NamedTuple):
    """The totals of a run.

    Attributes:
        totals: Numbers of pictures by result.
        unread: Number of subfolders that could not be read.
        summary: The summary line of the command.
    """

    totals: Totals
    unread: int
    summary: str


def run_folder(options: Options, supervisor: Supervisor) -> RunReport:
    """Classifies the pictures of a folder and writes the outputs.

    Args:
        options: The options of the command.
        supervisor: The worker processes, from `start_workers`.

    Returns:
        The totals of the run.

    Raises:
        UsageError: The folder has no pictures or cannot be read, an output would overwrite a
            picture.
        ModelError: A model cannot be loaded.
        RuntimeMissing: No runtime or no usable OpenCV is installed.
        OutputError: An output cannot be written.
    """
    clock = profiling.clock(options.profile)
    rules = detect_name_rules(list_output_folders(options.outputs))
    listing = session.scanned(options, rules)
    refuse_overwriting(options.input, listing, options.outputs, rules)
    for unread in listing.unread:
        tell(session.unread_message(options.input, unread))
    if listing.total == 0:
        hint = _subfolder_hint(options)
        if not hint and listing.ignored:
            hint = "--verbose lists the ignored files, --hidden includes those of junk names"
        elif not (hint or options.recursive):
            hint = "add --recursive to search its subfolders too"
        raise UsageError(f"{options.input}: no picture in this folder{hint and '; '}{hint}")
    clock.lap("list the pictures")
    supervisor.limit(listing.total)
    key = supervisor.cache_key  # waits for the workers: nothing is written if they fail
    clock.lap("wait for the workers")
    start = time.perf_counter()
    totals = Totals()
    bar = not (options.quiet or options.verbose)
    with (
        writing.open_outputs(options.input, options.outputs) as writer,
        Progress(listing.total, bar) as progress,
    ):
        known = None
        if options.resume:
            from image_gender_classifier.cli.resume import EarlierPredictions

            limits = Limits.of(options.settings)
            known = EarlierPredictions(options.input, limits, key, writer, clock)
        for outcome in supervisor.classify(listing.pictures, options.input, known):
            clock.lap("wait for the workers")
            writer.write(outcome)
            clock.lap("write the files")
            totals.add(outcome)
            report_outcome(outcome, progress)
            progress.advance()
            clock.lap("count and show progress")
    seconds = time.perf_counter() - start
    if not options.quiet:
        _print_renamed(writer.xml.renamed)
    if options.profile:
        _print_profile(clock, supervisor.seconds, listing.total)
    if not options.quiet and (hint := _subfolder_hint(options)):
        tell(hint)
    unread_folders = len(listing.unread)
    summary = totals.summary(listing.ignored, unread_folders, seconds)
    return RunReport(totals, unread_folders, summary)


def report_outcome(
    outcome: Outcome, progress: Progress, retry: str = "--resume tries it again"
) -> None:
    """Prints the error of a picture: an internal error, or why it is unreadable.

    An earlier run has reported the pictures that are still unreadable; they are not printed again.

    Args:
        outcome: The outcome of the picture.
        progress: The progress bar, which the message must not overwrite.
        retry: When a picture that was not finished is tried again.
    """
    prediction, file = outcome.prediction, escape_text(outcome.picture.file)
    if prediction is None:
        error = escape_text(outcome.error or "")
        hint = retry if outcome.unfinished else "--debug shows the traceback"
        progress.tell(f"{file!r}: {error}; no XML file is written; {hint}")
        return
    logs.debug("%s: %s, %s", file, prediction.status, prediction.gender)
    if prediction.status == "unreadable" and not outcome.kept:
        progress.tell(f"{escape_text(prediction.file)!r}: {prediction.message}")


def _print_renamed(renamed: Mapping[str, str]) -> None:
    """Prints how many XML files do not have their usual names, with an example."""
    if not renamed:
        return
    text = session.rewritten_message(*next(iter(renamed.items())))
    others = len(renamed) - 1
    more = f", and {others:,} more" * (others > 0)
    tell(f"the output folder rejects the usual names of some XML files: {text}{more}")


def _subfolder_hint(options: Options) -> str:
    """Returns a hint at `--recursive` if subfolders contain pictures, otherwise ""."""
    if options.recursive:
        return ""
    below = count_subfolder_pictures(
        options.input, list_output_folders(options.outputs), options.hidden
    )
    if not below.pictures:
        return ""
    what = "picture is" if below.pictures == 1 else "pictures are"
    return (
        f"{'' if below.complete else 'at least '}{below.pictures:,} {what} in subfolders of "
        f"{escape_text(str(options.input))}; add --recursive (make classify ... ARGS=--recursive) "
        "to classify them"
    )


def _print_profile(clock: profiling.Clock, workers: Mapping[str, float], pictures: int) -> None:
    say(profiling.table("The command", clock.taken(), pictures), sys.stderr)
    say(profiling.table("The workers", workers, pictures), sys.stderr)

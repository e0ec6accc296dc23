"""Classifies the pictures of a folder: scan, skip, classify, write, report."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

from image_gender_classifier.cli import session
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.overwrite import refuse_overwriting
from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.cli.subfolders import count_below
from image_gender_classifier.cli.terminal import tell
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs.escaping import printable
from image_gender_classifier.outputs.file_system import name_rules
from image_gender_classifier.outputs.registry import folders
from image_gender_classifier.system import logs, profiling
from image_gender_classifier.system.console import say
from image_gender_classifier.workers.supervisor import Outcome


class Report(NamedTuple):
    """The result of a run.

    Attributes:
        totals: The results, counted.
        unread: Number of subfolders that could not be read.
        summary: The last line that the command prints.
    """

    totals: Totals
    unread: int
    summary: str


def run(options: Options) -> Report:
    """Classifies the pictures of a folder and writes the outputs.

    Raises:
        UsageError: There is no picture, or an option cannot be met.
        ModelError: A model cannot be used.
        RuntimeMissing: No runtime or no usable OpenCV is installed.
        OutputError: The output can no longer be written.
    """
    clock = profiling.clock(options.profile)
    with session.started(options) as supervisor:
        # The workers load their libraries meanwhile.
        from image_gender_classifier.cli import writing

        rules = name_rules(folders(options.outputs))
        listing = session.scanned(options, rules)
        refuse_overwriting(options.input, listing, options.outputs, rules)
        for unread in listing.unread:
            tell(session.unread_message(options.input, unread))
        if listing.total == 0:
            hint = _subfolder_hint(options)
            if not (hint or options.recursive):
                hint = "--recursive searches the folders below it too"
            raise UsageError(f"{options.input}: no picture in this folder{hint and '; '}{hint}")
        clock.lap("list the pictures")
        supervisor.limit(listing.total)
        key = supervisor.settings  # waits for the workers: if they fail, no file is touched
        clock.lap("wait for the workers")
        start = time.perf_counter()
        totals = Totals()
        bar = not (options.quiet or options.verbose)
        with (
            writing.opened(options.input, options.outputs) as writer,
            Progress(listing.total, bar) as progress,
        ):
            known = None
            if options.resume:
                from image_gender_classifier.cli.resume import EarlierRun

                limits = Limits.of(options.settings)
                known = EarlierRun(options.input, limits, key, writer, clock)
            for outcome in supervisor.classify(listing.pictures, options.input, known):
                clock.lap("wait for the workers")
                writer.write(outcome)
                clock.lap("write the files")
                totals.add(outcome)
                report(outcome, progress)
                progress.advance()
                clock.lap("count and show progress")
        seconds = time.perf_counter() - start
        if not options.quiet:
            _tell_rewritten(writer.xml.rewritten)
        if options.profile:
            _print_profile(clock, supervisor.seconds, listing.total)
        if not options.quiet and (hint := _subfolder_hint(options)):
            tell(hint)
        unread_folders = len(listing.unread)
        summary = totals.summary(listing.ignored, unread_folders, seconds)
        return Report(totals, unread_folders, summary)


def report(outcome: Outcome, progress: Progress) -> None:
    """Prints why a picture has no result, or is unreadable for the first time."""
    prediction, file = outcome.prediction, printable(outcome.picture.file)
    if prediction is None:
        error = printable(outcome.error or "")
        hint = "--resume tries it again" if outcome.unfinished else "--debug shows the traceback"
        progress.tell(f"{file!r}: {error}; no XML file is written; {hint}")
        return
    logs.debug("%s: %s, %s", file, prediction.status, prediction.gender)
    if prediction.status == "unreadable" and not outcome.kept:
        progress.tell(f"{printable(prediction.file)!r}: {prediction.message}")


def _tell_rewritten(rewritten: Mapping[str, str]) -> None:
    """Mentions the XML files that could not get their usual names."""
    if not rewritten:
        return
    text = session.rewritten_message(*next(iter(rewritten.items())))
    others = len(rewritten) - 1
    more = f", and {others:,} more" * (others > 0)
    tell(f"the output folder cannot hold the usual names of some XML files: {text}{more}")


def _subfolder_hint(options: Options) -> str:
    """Mentions pictures in subfolders that are not searched; empty if there are none."""
    if options.recursive:
        return ""
    below = count_below(options.input, folders(options.outputs), options.hidden)
    if not below.pictures:
        return ""
    what = "picture lies" if below.pictures == 1 else "pictures lie"
    return (
        f"{'' if below.complete else 'at least '}{below.pictures:,} {what} in folders below "
        f"{printable(str(options.input))}; add --recursive (make classify ... ARGS=--recursive) "
        "to classify them"
    )


def _print_profile(clock: profiling.Clock, workers: Mapping[str, float], pictures: int) -> None:
    say(profiling.table("The command", clock.taken(), pictures), sys.stderr)
    say(profiling.table("The workers", workers, pictures), sys.stderr)

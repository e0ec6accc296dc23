"""Classifies a folder once (without `--watch`): lists pictures, writes outputs, prints messages."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from image_gender_classifier.cli import input_pictures, writing
from image_gender_classifier.cli.closing_notes import print_closing_notes
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.overwrite import refuse_overwriting
from image_gender_classifier.cli.progress import open_progress
from image_gender_classifier.cli.report import RunReport, report_outcome
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.listing import Listing
from image_gender_classifier.outputs.file_system import detect_name_rules
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.registry import list_output_folders
from image_gender_classifier.outputs.settings import Facts
from image_gender_classifier.system import profiling
from image_gender_classifier.system.console import print_line
from image_gender_classifier.workers.supervisor import Outcome, Supervisor

if TYPE_CHECKING:
    from image_gender_classifier.cli.corrections import CorrectionSet


def run_folder(options: Options, supervisor: Supervisor) -> RunReport:
    """Classifies the pictures of a folder, writes the outputs and prints errors and hints.

    With `--resume`, keeps valid predictions of an earlier run.

    Args:
        options: The options of the command.
        supervisor: Runs the worker processes; from `start_workers`.

    Returns:
        The result of the run; the caller prints its summary.

    Raises:
        UsageError: The folder has no pictures or cannot be read, settings exclude each other, or an
            output would overwrite a picture or another output.
        ModelError: A model cannot be loaded.
        RuntimeMissing: No runtime or no usable OpenCV is installed, or the workers end before their
            first picture.
        OutputError: An output cannot be written.
    """
    clock = profiling.make_clock(options.profile)
    corrections = input_pictures.open_corrections(options)
    listing = _list_pictures(options)
    pictures, total = _choose_pictures(options, listing)
    clock.lap("list the pictures")
    supervisor.limit(total)
    _ = supervisor.cache_key  # waits for the workers: nothing is written if they fail
    clock.lap("wait for the workers")
    start = time.perf_counter()
    totals = Totals()
    output_settings = options.output_settings._replace(
        describe_run=partial(_describe_run, options, supervisor)
    )
    with (
        writing.open_outputs(options.outputs, output_settings) as writer,
        open_progress(options, total, totals) as progress,
    ):
        for outcome in _classify(options, supervisor, pictures, writer, corrections, clock):
            clock.lap("wait for the workers")
            left_out = _write(options, writer, outcome)
            clock.lap("write the files")
            totals.add(outcome)
            totals.left_out += len(left_out)
            for message in left_out:
                progress.print_message(message)
            report_outcome(outcome, progress)
            progress.advance()
            clock.lap("count and show progress")
    seconds = time.perf_counter() - start
    print_closing_notes(options, totals, writer.xml, corrections)
    if options.profile:
        _print_profile(clock, supervisor.seconds, max(total, 1))
    unread_files = sum(unread.kind == "file" for unread in listing.unread)
    unread_folders = len(listing.unread) - unread_files
    summary = totals.summarise(
        options.summary, listing.ignored, unread_folders, seconds, unread_files
    )
    return RunReport(totals, len(listing.unread), summary)


def _classify(
    options: Options,
    supervisor: Supervisor,
    pictures: Iterable[PictureFile],
    writer: writing.OutputWriter,
    corrections: CorrectionSet | None,
    clock: profiling.Clock,
) -> Iterable[Outcome]:
    """Returns the outcomes of pictures, with earlier predictions, reviews and corrections."""
    known = None
    if options.resume:
        from image_gender_classifier.cli.resume import EarlierPredictions

        limits = Limits.from_settings(options.settings)
        key = supervisor.cache_key
        known = EarlierPredictions(options.input, limits, key, writer, clock, corrections)
    outcomes: Iterable[Outcome] = supervisor.classify(pictures, options.input, known)
    if known is not None:
        outcomes = map(known.restore_review, outcomes)
    if corrections is not None:
        outcomes = map(corrections.apply, outcomes)
    return outcomes


def _list_pictures(options: Options) -> Listing:
    """Lists the pictures of the input folder, and refuses a run that would overwrite one."""
    rules = detect_name_rules(list_output_folders(options.outputs))
    listing = input_pictures.list_input_pictures(options, rules)
    refuse_overwriting(options.input, listing, options.outputs, rules)
    for unread in listing.unread:
        print_message(input_pictures.format_unread(options.input, unread))
    if not options.quiet:
        for message in input_pictures.describe_skipped_links(options.input, listing):
            print_message(message)
    if listing.total == 0:
        raise UsageError(input_pictures.format_no_picture(options.input, listing, options))
    return listing


def _choose_pictures(options: Options, listing: Listing) -> tuple[Iterator[PictureFile], int]:
    """Returns the pictures to classify and their number: all pictures, or those of the shard."""
    if options.shard is None:
        return listing.pictures, listing.total
    from image_gender_classifier.cli.shards import count_pictures, list_part  # rarely needed

    total = count_pictures(listing, options.shard)
    if not options.quiet:
        print_message(f"shard {options.shard.label}: {total:,} of {listing.total:,} pictures")
    return list_part(listing, options.shard), total


def _write(options: Options, writer: writing.OutputWriter, outcome: Outcome) -> list[str]:
    """Writes an outcome; returns a message for each file that is left out."""
    if options.picture_list is not None:
        from image_gender_classifier.cli.picture_list import describe_conflict

        conflict = describe_conflict(writer.xml, outcome.picture, options.input)
        if conflict is not None:
            return [conflict]
    return writer.write(outcome)


def _describe_run(options: Options, supervisor: Supervisor) -> Facts:
    from image_gender_classifier.cli.run_facts import describe_run  # late: for the report only

    return describe_run(options, supervisor)


def _print_profile(clock: profiling.Clock, workers: Mapping[str, float], pictures: int) -> None:
    """Prints two tables with the time of each stage: in the parent process, and in the workers.

    Args:
        clock: Has measured the stages of the parent process.
        workers: Seconds spent in each stage, summed over all workers.
        pictures: Number of pictures; at least 1.
    """
    print_line(profiling.format_table("Parent process", clock.take_seconds(), pictures), sys.stderr)
    print_line(profiling.format_table("Workers (sum)", workers, pictures), sys.stderr)

"""Classifies the given pictures once and prints a prediction for each; writes no file."""

from __future__ import annotations

import time
from contextlib import ExitStack

from image_gender_classifier.cli.given_pictures import GivenPictures
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.progress import open_progress
from image_gender_classifier.cli.report import RunReport, report_failure
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.escaping import escape_line
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.workers.supervisor import Supervisor


def run_pictures(options: Options, supervisor: Supervisor) -> RunReport:
    """Classifies the given pictures and prints the predictions to standard output.

    Ends early if nobody reads standard output any more.

    Args:
        options: The options of the command.
        supervisor: Runs the worker processes; from `start_workers`.

    Returns:
        The result of the run; its `unread` counts the paths, too, that are no pictures.

    Raises:
        UsageError: No picture is given.
        ModelError: A model cannot be loaded.
        RuntimeMissing: No runtime or no usable OpenCV is installed, or the workers end before their
            first picture.
        OutputError: Standard output cannot be written.
    """
    with ExitStack() as stack:
        given = GivenPictures(options, stack)
        if not options.quiet:
            for note in given.notes:
                print_message(note)
        *most, last = map(escape_line, given.faults or [""])
        for fault in most:
            print_message(fault)
        if given.total == 0:
            raise UsageError(last)
        if last:
            print_message(last)
        supervisor.limit(given.total)
        _ = supervisor.cache_key  # waits for the workers: nothing is printed if they fail
        start = time.perf_counter()
        totals = Totals()
        output = _open_output(options)
        progress = stack.enter_context(open_progress(options, given.total, totals))
        for outcome in supervisor.classify(given, options.input):
            totals.add(outcome)
            if outcome.prediction is None:
                report_failure(outcome, progress, "it has no line", "try it again")
            else:
                output.write(Row(outcome.picture, outcome.prediction))
            progress.advance()
            if not output.has_reader:
                break
    seconds = time.perf_counter() - start
    summary = totals.summarise(options.summary, given.ignored, len(given.faults), seconds)
    return RunReport(totals, len(given.faults), summary, output.has_reader)


def _open_output(options: Options) -> Output:
    """Opens the table that goes to standard output, or else the lines of text."""
    for target in options.outputs:
        return target.entry.open_output(target.path, options.output_settings)
    from image_gender_classifier.outputs import text_lines

    return text_lines.open_output(options.output_settings)

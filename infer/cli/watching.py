"""Classifies the pictures of a folder as they arrive, until stopped (`--watch`).

Polls the folder, which works on every file system, including network shares, and also finds
pictures that arrived before the start.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.cli import input_pictures, writing
from image_gender_classifier.cli.arrivals import Arrivals
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.overwrite import find_overwritten, format_overwritten
from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.cli.report import report_outcome
from image_gender_classifier.cli.resume import EarlierPredictions
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.listing import Listing
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.file_system import detect_name_rules
from image_gender_classifier.outputs.naming import NameRules, PictureFile
from image_gender_classifier.outputs.registry import list_output_folders
from image_gender_classifier.workers.supervisor import Outcome, Supervisor

if TYPE_CHECKING:
    from image_gender_classifier.cli.watched_corrections import WatchedCorrections

_PAUSE = 2.0  # seconds between scans, during which a complete picture must not change
_IDLE = 20  # the pause is at least this many times as long as a scan, to use little CPU time


class _ScanFaults:
    """Prints messages about unreadable subfolders or files and outputs that would overwrite a file.

    A message is repeated only after its cause has disappeared and come back.

    Args:
        options: The options of the command.
        rules: The rules of the output folders for names.
    """

    def __init__(self, options: Options, rules: NameRules) -> None:
        self._options = options
        self._rules = rules
        self._reported: set[str] = set()

    def exclude_overwritten(self, listing: Listing) -> Iterator[PictureFile]:
        """Returns the listed pictures whose outputs would overwrite no file.

        Prints messages about the other pictures and about what cannot be read.
        """
        folder = self._options.input
        messages = {input_pictures.format_unread(folder, unread) for unread in listing.unread}
        if not self._options.quiet:
            messages.update(input_pictures.describe_skipped_links(folder, listing))
        lost = find_overwritten(folder, listing, self._options.outputs, self._rules)
        skipped = {file for files in lost.values() for file in files}
        for path, files in lost.items():
            skips = "is skipped until it is" if len(files) == 1 else "are skipped until they are"
            messages.add(f"{format_overwritten(path, files)}, which {skips} renamed")
        for message in sorted(messages - self._reported):
            print_message(message)
        self._reported = messages
        return (picture for picture in listing.pictures if picture.file not in skipped)


def watch_folder(
    options: Options, supervisor: Supervisor, scans: int | None = None, pause: float = _PAUSE
) -> None:
    """Classifies the pictures of a folder, then each picture that arrives or changes.

    Valid predictions of an earlier run are kept, as with `--resume`.

    Args:
        options: The options of the command.
        supervisor: Runs the worker processes; from `start_workers`.
        scans: Number of scans after which to stop; None to continue until interrupted.
        pause: Minimum time between two scans, in seconds.

    Raises:
        UsageError: The folder cannot be read, or settings exclude each other.
        ModelError: A model cannot be loaded.
        RuntimeMissing: No runtime or no usable OpenCV is installed, or the workers end before their
            first picture.
        OutputError: An output cannot be written.
    """
    folder = options.input
    key = supervisor.cache_key  # waits for the workers: nothing is written if they fail
    rules = detect_name_rules(list_output_folders(options.outputs))
    with (
        writing.open_outputs(options.outputs, options.output_settings) as writer,
        Progress(0, False) as progress,
    ):
        limits = Limits.from_settings(options.settings)
        watched = _open_corrections(options, limits)
        corrections = None if watched is None else watched.corrections
        earlier = EarlierPredictions(folder, limits, key, writer, corrections=corrections)
        arrivals = Arrivals(options.hidden)
        faults = _ScanFaults(options, rules)
        if not options.quiet:
            print_message(f"watching {escape_text(str(folder))!r} until stopped (Ctrl-C)")
        for scan in itertools.count(1):
            start = time.monotonic()
            if watched is not None:
                arrivals.classify_again(watched.refresh())
            listing = input_pictures.list_input_pictures(options, rules)
            ready = arrivals.find_ready(folder, faults.exclude_overwritten(listing))
            seconds = time.monotonic() - start
            outcomes: Iterable[Outcome] = supervisor.classify(ready, folder, earlier)
            outcomes = map(earlier.restore_review, outcomes)
            if corrections is not None:
                outcomes = map(corrections.apply, outcomes)
            for outcome in outcomes:
                if outcome.unfinished:
                    arrivals.mark_unfinished(outcome.picture)
                else:
                    arrivals.mark_classified(outcome.picture)
                if not _is_deleted(folder, outcome):
                    _write(options, writer, progress, outcome)
            for message in corrections.take_messages() if corrections is not None else ():
                print_message(message)
            if scan == scans:
                break
            time.sleep(max(pause, _IDLE * seconds))


def _open_corrections(options: Options, limits: Limits) -> WatchedCorrections | None:
    """Reads the file of `--corrections`; returns None without that option.

    Raises:
        UsageError: The file cannot be read, or a row is wrong.
    """
    if options.corrections is None:
        return None
    from image_gender_classifier.cli.watched_corrections import WatchedCorrections

    return WatchedCorrections(options.corrections, options.input, limits)


def _write(
    options: Options, writer: writing.OutputWriter, progress: Progress, outcome: Outcome
) -> None:
    """Writes the outputs of a picture, and prints what the user should know about it."""
    for message in writer.write(outcome):
        progress.print_message(message)
    xml = writer.xml.renamed.pop(outcome.picture.file, None)
    if xml is not None and not options.quiet:
        progress.print_message(input_pictures.format_renamed(outcome.picture.file, xml))
    report_outcome(outcome, progress, "it is tried again later")
    if not options.quiet:
        _print_prediction(outcome)


def _is_deleted(folder: Path, outcome: Outcome) -> bool:
    """Returns whether a picture has no result because its file was deleted."""
    prediction = outcome.prediction
    lost = prediction is None or prediction.status == "unreadable"
    if not lost:
        return False
    try:
        (folder / outcome.picture.file).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # unknown, for example while a network drive is disconnected
        return False
    return False


def _print_prediction(outcome: Outcome) -> None:
    """Prints the gender or status of a picture, if it has a new prediction and is readable."""
    prediction = outcome.prediction
    if prediction is None or outcome.kept or prediction.status == "unreadable":
        return
    known = prediction.status in ("classified", "reviewed")
    what = prediction.gender if known else prediction.status.replace("_", " ")
    print_message(f"{escape_text(prediction.file)!r}: {what}")

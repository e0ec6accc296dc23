"""Classifies the pictures of a folder as they arrive, until stopped (`--watch`).

Polls the folder, which works on every file system, including network shares, and also finds
pictures that arrived before the start.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.cli import input_pictures, writing
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.overwrite import find_overwritten, format_overwritten
from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.cli.report import report_outcome
from image_gender_classifier.cli.resume import EarlierPredictions
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.file_system import detect_name_rules
from image_gender_classifier.outputs.naming import NameRules, PictureFile
from image_gender_classifier.outputs.registry import list_output_folders
from image_gender_classifier.scan import Listing
from image_gender_classifier.workers.supervisor import Outcome, Supervisor

_PAUSE = 2.0  # seconds between scans, during which a complete picture must not change
_IDLE = 20  # the pause is at least this many times as long as a scan, to use little CPU time
_FIRST_RETRY, _LAST_RETRY = 15, 1_800  # scans until an unfinished picture is tried again


class _State(NamedTuple):
    """The state of a picture file at one scan. Equal states mean that it has not changed.

    Attributes:
        xml: Path of its XML file, relative to the output folder; a new one counts as a change.
        size: Size in bytes.
        modified: Modification time (mtime) in nanoseconds.
        inode: Inode number.
    """

    xml: str
    size: int
    modified: int
    inode: int


class _Retry(NamedTuple):
    """The next try for an unfinished picture.

    Attributes:
        wait: Number of scans between the last try and the next.
        scan: Number of the scan (from 1) at which the picture is tried again.
    """

    wait: int
    scan: int


class Arrivals:
    """Tracks which pictures of a folder are complete and not classified yet.

    Args:
        hidden: Whether to include files whose names start with a dot, as those of unfinished
            copies often do.
    """

    def __init__(self, hidden: bool = False) -> None:
        self._hidden = hidden
        self._seen: dict[str, _State] = {}
        self._classified: set[str] = set()
        self._retries: dict[str, _Retry] = {}
        self._scan = 0

    def find_ready(self, folder: Path, pictures: Iterable[PictureFile]) -> list[PictureFile]:
        """Returns the complete pictures that have not been classified in their current state.

        A picture is complete if it has not changed since the last call. One that was marked as
        unfinished is returned again only when its next try is due.

        Args:
            folder: The input folder.
            pictures: All pictures that are in the folder now.
        """
        self._scan += 1
        before, self._seen = self._seen, {}
        ready = []
        for picture in pictures:
            if picture.file.rpartition("/")[2].startswith(".") and not self._hidden:
                continue
            state = _read_state(folder, picture)
            if state is None:
                continue
            self._seen[picture.file] = state
            if before.get(picture.file) != state:
                self._classified.discard(picture.file)
                self._retries.pop(picture.file, None)
            elif picture.file not in self._classified and self._is_due(picture):
                ready.append(picture)
        self._classified &= self._seen.keys()
        for file in self._retries.keys() - self._seen.keys():
            del self._retries[file]
        return ready

    def mark_classified(self, picture: PictureFile) -> None:
        """Marks a picture as classified; `find_ready` returns it again only after a change."""
        self._classified.add(picture.file)
        self._retries.pop(picture.file, None)

    def mark_unfinished(self, picture: PictureFile) -> None:
        """Schedules the next try for a picture (exponential backoff, counted in scans)."""
        last = self._retries.get(picture.file)
        wait = min(2 * last.wait, _LAST_RETRY) if last else _FIRST_RETRY
        self._retries[picture.file] = _Retry(wait, self._scan + wait)

    def _is_due(self, picture: PictureFile) -> bool:
        retry = self._retries.get(picture.file)
        return retry is None or self._scan >= retry.scan


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
        corrections = input_pictures.open_corrections(options)
        limits = Limits.from_settings(options.settings)
        earlier = EarlierPredictions(folder, limits, key, writer, corrections=corrections)
        arrivals = Arrivals(options.hidden)
        faults = _ScanFaults(options, rules)
        if not options.quiet:
            print_message(f"watching {escape_text(str(folder))!r} until stopped (Ctrl-C)")
        for scan in itertools.count(1):
            start = time.monotonic()
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
                if _is_deleted(folder, outcome):
                    continue
                for message in writer.write(outcome):
                    progress.print_message(message)
                xml = writer.xml.renamed.pop(outcome.picture.file, None)
                if xml is not None and not options.quiet:
                    progress.print_message(input_pictures.format_renamed(outcome.picture.file, xml))
                report_outcome(outcome, progress, "it is tried again later")
                if not options.quiet:
                    _print_prediction(outcome)
            for message in corrections.take_messages() if corrections is not None else ():
                print_message(message)
            if scan == scans:
                break
            time.sleep(max(pause, _IDLE * seconds))


def _read_state(folder: Path, picture: PictureFile) -> _State | None:
    """Returns the current state of a picture file; None if it was deleted or cannot be accessed."""
    try:
        status = (folder / picture.file).stat()
    except OSError:  # deleted, or a broken symbolic link
        return None
    return _State(picture.xml, status.st_size, status.st_mtime_ns, status.st_ino)


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

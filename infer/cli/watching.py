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

from image_gender_classifier.cli import folder_run, session, writing
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.overwrite import overwritten
from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.cli.resume import EarlierPredictions
from image_gender_classifier.cli.terminal import tell
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
    """The state of a picture at one scan. Equal states mean that the file has not changed."""

    xml: str
    size: int
    modified: int
    inode: int


class _Retry(NamedTuple):
    """When to classify an unfinished picture again.

    Attributes:
        wait: Number of scans between the last try and the next.
        scan: The number of that scan.
    """

    wait: int
    scan: int


class Arrivals:
    """Tracks which pictures of a folder are complete and not classified yet.

    Args:
        hidden: Include files whose names start with a dot, as unfinished copies often do.
    """

    def __init__(self, hidden: bool = False) -> None:
        self._hidden = hidden
        self._seen: dict[str, _State] = {}
        self._classified: set[str] = set()
        self._retries: dict[str, _Retry] = {}
        self._scan = 0

    def find_ready(self, folder: Path, pictures: Iterable[PictureFile]) -> list[PictureFile]:
        """Returns the complete pictures that are not classified in their current state.

        A picture is complete if it has not changed since the last call.

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
        """Marks a picture that must be classified again, after a pause that grows each time."""
        last = self._retries.get(picture.file)
        wait = min(2 * last.wait, _LAST_RETRY) if last else _FIRST_RETRY
        self._retries[picture.file] = _Retry(wait, self._scan + wait)

    def _is_due(self, picture: PictureFile) -> bool:
        retry = self._retries.get(picture.file)
        return retry is None or self._scan >= retry.scan


class _ScanFaults:
    """Reports unreadable subfolders and name collisions, each once for as long as it persists.

    Args:
        options: The options of the command.
        rules: The rules of the output folders for names.
    """

    def __init__(self, options: Options, rules: NameRules) -> None:
        self._options = options
        self._rules = rules
        self._reported: set[str] = set()

    def exclude_overwritten(self, listing: Listing) -> Iterator[PictureFile]:
        """Yields the pictures whose outputs do not overwrite a picture; reports all others."""
        folder = self._options.input
        messages = {session.unread_message(folder, unread) for unread in listing.unread}
        lost = overwritten(folder, listing, self._options.outputs, self._rules)
        skipped = {file for files in lost.values() for file in files}
        for path, files in lost.items():
            names = ", ".join(repr(escape_text(file)) for file in files)
            messages.add(
                f"{path}: would be overwritten by the output of {names}, skipped until renamed"
            )
        for message in sorted(messages - self._reported):
            tell(message)
        self._reported = messages
        return (picture for picture in listing.pictures if picture.file not in skipped)


def watch_folder(
    options: Options, supervisor: Supervisor, scans: int | None = None, pause: float = _PAUSE
) -> None:
    """Classifies the pictures of a folder, then each picture that arrives.

    Args:
        options: The options of the command. Valid XML files are kept, as with `--resume`.
        supervisor: The worker processes, from `start_workers`.
        scans: Number of scans after which to stop; None to continue until interrupted.
        pause: Minimum time between two scans, in seconds.

    Raises:
        UsageError: The folder cannot be read.
        ModelError: A model cannot be loaded.
        RuntimeMissing: No runtime or no usable OpenCV is installed.
        OutputError: An output cannot be written.
    """
    folder = options.input
    key = supervisor.cache_key  # waits for the workers: nothing is written if they fail
    rules = detect_name_rules(list_output_folders(options.outputs))
    with (
        writing.open_outputs(folder, options.outputs) as writer,
        Progress(0, False) as progress,
    ):
        earlier = EarlierPredictions(folder, Limits.of(options.settings), key, writer)
        arrivals = Arrivals(options.hidden)
        faults = _ScanFaults(options, rules)
        if not options.quiet:
            tell(f"watching {escape_text(str(folder))!r} until stopped")
        for scan in itertools.count(1):
            start = time.monotonic()
            listing = session.scanned(options, rules)
            ready = arrivals.find_ready(folder, faults.exclude_overwritten(listing))
            seconds = time.monotonic() - start
            for outcome in supervisor.classify(ready, folder, earlier):
                if outcome.unfinished:
                    arrivals.mark_unfinished(outcome.picture)
                else:
                    arrivals.mark_classified(outcome.picture)
                if _is_deleted(folder, outcome):
                    continue
                writer.write(outcome)
                xml = writer.xml.renamed.pop(outcome.picture.file, None)
                if xml is not None and not options.quiet:
                    progress.tell(session.rewritten_message(outcome.picture.file, xml))
                folder_run.report_outcome(outcome, progress, "it is tried again later")
                if not options.quiet:
                    _print_prediction(outcome)
            if scan == scans:
                break
            time.sleep(max(pause, _IDLE * seconds))


def _read_state(folder: Path, picture: PictureFile) -> _State | None:
    try:
        status = (folder / picture.file).stat()
    except OSError:  # deleted, or a broken symbolic link
        return None
    return _State(picture.xml, status.st_size, status.st_mtime_ns, status.st_ino)


def _is_deleted(folder: Path, outcome: Outcome) -> bool:
    """Returns whether a picture was deleted before it was classified."""
    prediction = outcome.prediction
    lost = prediction is None or prediction.status == "unreadable"
    if not lost:
        return False
    try:
        (folder / outcome.picture.file).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it cannot be told at present
        return False
    return False


def _print_prediction(outcome: Outcome) -> None:
    """Prints a new prediction, unless `report_outcome` prints an error."""
    prediction = outcome.prediction
    if prediction is None or outcome.kept or prediction.status == "unreadable":
        return
    classified = prediction.status == "classified"
    what = prediction.gender if classified else prediction.status.replace("_", " ")
    tell(f"{escape_text(prediction.file)!r}: {what}")

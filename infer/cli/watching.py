"""Classifies the pictures of a folder as they arrive, until stopped (`--watch`).

The folder is scanned again and again: that works on every file system, network shares and memory
cards included, and also finds pictures that arrived before the start.
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
from image_gender_classifier.cli.resume import EarlierRun
from image_gender_classifier.cli.terminal import tell
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs.escaping import printable
from image_gender_classifier.outputs.file_system import name_rules
from image_gender_classifier.outputs.naming import NameRules, PictureFile
from image_gender_classifier.outputs.registry import folders
from image_gender_classifier.scan import Listing
from image_gender_classifier.workers.supervisor import Outcome

_PAUSE = 2.0  # seconds between two scans; a picture must not change for that long
_IDLE = 20  # a pause is at least this many times as long as a scan, to leave the machine idle


class _State(NamedTuple):
    """A picture at one scan; equal states mean that nobody has written to it since."""

    xml: str
    size: int
    modified: int
    inode: int


class Arrivals:
    """Tracks which pictures of a folder are complete and not classified yet.

    Args:
        hidden: Take files whose names begin with a dot too: most copy programs name unfinished
            files so.
    """

    def __init__(self, hidden: bool = False) -> None:
        self._hidden = hidden
        self._seen: dict[str, _State] = {}
        self._classified: set[str] = set()

    def ready(self, folder: Path, pictures: Iterable[PictureFile]) -> list[PictureFile]:
        """Returns the new and changed pictures that are the same as at the last call.

        Args:
            folder: The input folder.
            pictures: All pictures in it now.
        """
        before, self._seen = self._seen, {}
        ready = []
        for picture in pictures:
            if picture.file.rpartition("/")[2].startswith(".") and not self._hidden:
                continue
            state = _state(folder, picture)
            if state is None:
                continue
            self._seen[picture.file] = state
            if before.get(picture.file) != state:
                self._classified.discard(picture.file)
            elif picture.file not in self._classified:
                ready.append(picture)
        self._classified &= self._seen.keys()
        return ready

    def classified(self, picture: PictureFile) -> None:
        """Marks a picture as classified in its present state."""
        self._classified.add(picture.file)


class _Reported:
    """Reports what a scan cannot read or write, once as long as it stays so.

    Args:
        options: The options.
        rules: The names that the output folders can hold.
    """

    def __init__(self, options: Options, rules: NameRules) -> None:
        self._options = options
        self._rules = rules
        self._told: set[str] = set()

    def possible(self, listing: Listing) -> Iterator[PictureFile]:
        """Yields the pictures whose outputs overwrite no picture."""
        folder = self._options.input
        messages = {session.unread_message(folder, unread) for unread in listing.unread}
        lost = overwritten(folder, listing, self._options.outputs, self._rules)
        skipped = {file for files in lost.values() for file in files}
        for path, files in lost.items():
            names = ", ".join(repr(printable(file)) for file in files)
            messages.add(f"{path}: would be overwritten; {names} is not classified")
        for message in sorted(messages - self._told):
            tell(message)
        self._told = messages
        return (picture for picture in listing.pictures if picture.file not in skipped)


def watch(options: Options, scans: int | None = None, pause: float = _PAUSE) -> None:
    """Classifies the pictures of a folder and then each one that arrives.

    Args:
        options: The options; XML files that are still valid are kept in any case.
        scans: Number of scans after which to stop; None for no end.
        pause: Shortest time in seconds between two scans.

    Raises:
        UsageError: The folder can no longer be read, or an option cannot be met.
        ModelError: A model cannot be used.
        RuntimeMissing: No runtime or no usable OpenCV is installed.
        OutputError: The output can no longer be written.
    """
    folder = options.input
    with session.started(options) as supervisor:
        key = supervisor.settings  # waits for the workers: if they fail, no file is touched
        rules = name_rules(folders(options.outputs))
        with writing.opened(folder, options.outputs) as writer, Progress(0, False) as progress:
            earlier = EarlierRun(folder, Limits.of(options.settings), key, writer)
            arrivals = Arrivals(options.hidden)
            reported = _Reported(options, rules)
            if not options.quiet:
                tell(f"watching {printable(str(folder))!r} until stopped")
            for scan in itertools.count(1):
                start = time.monotonic()
                listing = session.scanned(options, rules)
                ready = arrivals.ready(folder, reported.possible(listing))
                seconds = time.monotonic() - start
                for outcome in supervisor.classify(ready, folder, earlier):
                    arrivals.classified(outcome.picture)
                    if _is_deleted(folder, outcome):
                        continue
                    writer.write(outcome)
                    xml = writer.xml.rewritten.pop(outcome.picture.file, None)
                    if xml is not None and not options.quiet:
                        progress.tell(session.rewritten_message(outcome.picture.file, xml))
                    folder_run.report(outcome, progress)
                    if not options.quiet:
                        _tell_prediction(outcome)
                if scan == scans:
                    break
                time.sleep(max(pause, _IDLE * seconds))


def _state(folder: Path, picture: PictureFile) -> _State | None:
    try:
        status = (folder / picture.file).stat()
    except OSError:  # deleted, or a dangling link
        return None
    return _State(picture.xml, status.st_size, status.st_mtime_ns, status.st_ino)


def _is_deleted(folder: Path, outcome: Outcome) -> bool:
    """Says whether a picture was deleted before it was classified."""
    prediction = outcome.prediction
    lost = prediction is None or prediction.status == "unreadable"
    return lost and not (folder / outcome.picture.file).exists()


def _tell_prediction(outcome: Outcome) -> None:
    """Prints a new prediction; `folder_run.report` prints errors."""
    prediction = outcome.prediction
    if prediction is None or outcome.kept or prediction.status == "unreadable":
        return
    classified = prediction.status == "classified"
    what = prediction.gender if classified else prediction.status.replace("_", " ")
    tell(f"{printable(prediction.file)!r}: {what}")

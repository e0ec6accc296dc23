"""Judges the pictures of a folder as they arrive, until it is stopped.

The folder is looked through again and again: every file system can do that, network shares and
memory cards included, and pictures that arrived while nobody watched are found as well.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from image_gender_classifier.cli import folder_run
from image_gender_classifier.cli.options import PROGRAM, Options
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.xml import printable
from image_gender_classifier.results import Prediction
from image_gender_classifier.system import profiling
from image_gender_classifier.system.console import say
from image_gender_classifier.workers.supervisor import Outcome

_PAUSE = 2.0  # seconds between two looks, and how long a picture must have stayed as it is
_IDLE = 20  # a pause is so many times as long as a look takes, which costs next to nothing then

# How downloads and copies are called until they are whole and get their own name.
_TEMPORARY = (".crdownload", ".download", ".filepart", ".part", ".partial", ".tmp")


class _State(NamedTuple):
    """How a picture was at some look; equal states mean that nothing has been written since."""

    xml: str
    size: int
    modified: int
    inode: int


class Arrivals:
    """Knows which pictures of a folder were there before, and which of them are judged."""

    def __init__(self) -> None:
        self._seen: dict[str, _State] = {}
        self._classified: set[str] = set()

    def look(self, folder: Path, pictures: Iterable[PictureFile]) -> list[PictureFile]:
        """Gives the pictures that are to be judged: new or changed, but not since the last look.

        Args:
            folder: The input folder.
            pictures: All that are in it now.
        """
        before, self._seen = self._seen, {}
        ready = []
        for picture in pictures:
            state = None if _is_temporary(picture.file) else _state(folder, picture)
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
        """Remembers that a picture is judged as the last look found it."""
        self._classified.add(picture.file)


def watch(options: Options, looks: int | None = None) -> None:
    """Judges a folder's pictures, and then each one that arrives.

    Args:
        options: What to do; verdicts of earlier runs that still hold are kept in any case.
        looks: How often to look through the folder; None for ever.

    Raises:
        UsageError: The folder can no longer be read, or an option cannot be met.
        ModelError: A model cannot be used.
        RuntimeMissing: There is no runtime.
        OutputError: The output can no longer be written.
    """
    with folder_run.working(options) as supervisor:
        settings = supervisor.settings  # before any file is touched, as in `folder_run`
        written = folder_run.Written(options)
        earlier = folder_run.Earlier(options, written, settings, profiling.clock(False))
        arrivals = Arrivals()
        if not options.quiet:
            _say(f"watching {printable(str(options.input))!r}, until it is stopped")
        for look in itertools.count(1):
            started = time.monotonic()
            ready = arrivals.look(options.input, folder_run.listed(options).pictures)
            taken = time.monotonic() - started
            for outcome in supervisor.classify(ready, options.input, earlier):
                arrivals.classified(outcome.picture)
                if _gone(options.input, outcome):
                    continue
                if outcome.prediction is None:
                    say(folder_run.internal_error(outcome), sys.stderr)
                    continue
                written.write(outcome, outcome.prediction)
                if not outcome.kept:
                    _report(options, outcome.prediction)
            if look == looks:
                break
            time.sleep(max(_PAUSE, _IDLE * taken))


def _is_temporary(file: str) -> bool:
    name = PurePosixPath(file).name
    return name.startswith(".") or name.lower().endswith(_TEMPORARY)


def _state(folder: Path, picture: PictureFile) -> _State | None:
    try:
        status = (folder / picture.file).stat()
    except OSError:  # gone, or a link that leads nowhere by now
        return None
    return _State(picture.xml, status.st_size, status.st_mtime_ns, status.st_ino)


def _gone(folder: Path, outcome: Outcome) -> bool:
    """Tells whether a picture was taken away before its turn."""
    prediction = outcome.prediction
    lost = prediction is None or prediction.status == "unreadable"
    return lost and not (folder / outcome.picture.file).exists()


def _report(options: Options, prediction: Prediction) -> None:
    """Says what was judged; what is wrong with a picture is said in any case."""
    what = prediction.message or prediction.status.replace("_", " ")
    if prediction.status == "classified":
        what = prediction.gender
    if prediction.message is not None or not options.quiet:
        _say(f"{printable(prediction.file)!r}: {what}")


def _say(text: str) -> None:
    say(f"{PROGRAM}: {text}", sys.stderr)

"""One run of the command over a folder: judge, write, show progress, count."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from image_gender_classifier.console import say
from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.files import read_bytes
from image_gender_classifier.fingerprint import run_hash, unreadable
from image_gender_classifier.listing import XML_SUFFIX, Listing, PictureFile, list_pictures
from image_gender_classifier.options import PROGRAM, Options
from image_gender_classifier.outputs import Table, XmlFolder, csv_table, jsonl_table
from image_gender_classifier.supervisor import Outcome, Supervisor
from image_gender_classifier.verdict import Status
from image_gender_classifier.wire import Task
from image_gender_classifier.xml import printable


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run did.

    Attributes:
        statuses: Pictures by status.
        kept: Pictures whose verdict an earlier run had written.
        newly_unreadable: Pictures that this run found unreadable.
        ignored: Files that are no pictures.
        seconds: How long it took.
    """

    statuses: Counter[str]
    kept: int
    newly_unreadable: int
    ignored: int
    seconds: float

    def summary(self) -> str:
        """The last line that a user sees."""
        pictures = sum(self.statuses.values())
        counts = ", ".join(
            f"{self.statuses[status]} {status.replace('_', ' ')}" for status in get_args(Status)
        )
        line = f"{pictures} picture{'s' * (pictures != 1)}: {counts}"
        if self.kept:
            line += f"; {self.kept} of them kept from an earlier run"
        if self.ignored:
            line += f"; {self.ignored} other file{'s' * (self.ignored > 1)} ignored"
        rate = pictures / max(self.seconds, 1e-9)
        return f"{line}; {self.seconds:.1f} s, {rate:.1f} pictures per second"


def run(options: Options) -> Totals:
    """Judges a folder and writes the verdicts.

    Raises:
        UsageError: There is no picture, or an option cannot be met.
        ModelError: A model cannot be used.
        RuntimeMissing: There is no runtime.
        OutputError: The output can no longer be written.
    """
    model = None if options.model is None else str(options.model)
    task = Task(model, options.runtime, options.detector, options.threshold, options.workers)
    with Supervisor(task) as supervisor:  # the worker starts while the folder is listed
        listing = list_pictures(options.input, options.recursive, skip=options.output)
        if not listing.pictures:
            hint = "" if options.recursive else "; --recursive looks into the folders below it too"
            raise UsageError(f"{options.input}: no picture in this folder{hint}")
        _refuse_overwriting(options, listing)
        return _judge(options, listing, supervisor)


def _judge(options: Options, listing: Listing, supervisor: Supervisor) -> Totals:
    folder = XmlFolder(options.output)
    known = _Earlier(options.input, folder, supervisor.settings) if options.resume else None
    started = time.perf_counter()
    statuses: Counter[str] = Counter()
    kept = newly_unreadable = 0
    with _tables(options) as tables, _progress(options, listing) as progress:
        for outcome in supervisor.judge(listing.pictures, options.input, known):
            verdict = outcome.verdict
            if not outcome.kept:
                folder.write(outcome.picture, verdict)
            for table in tables:
                table.add(verdict)
            statuses[verdict.status] += 1
            kept += outcome.kept
            if verdict.status == "unreadable" and not outcome.kept:
                newly_unreadable += 1
                progress.say(f"{PROGRAM}: {printable(verdict.file)!r}: {verdict.message}")
            progress.advance()
    seconds = time.perf_counter() - started
    return Totals(statuses, kept, newly_unreadable, listing.ignored, seconds)


class _Earlier:
    """Knows the verdicts of an earlier run that still hold."""

    def __init__(self, pictures: Path, verdicts: XmlFolder, settings: str) -> None:
        self._pictures = pictures
        self._verdicts = verdicts
        self._settings = settings

    def __call__(self, picture: PictureFile) -> Outcome | None:
        try:
            data = read_bytes(self._pictures / picture.file)
        except UnreadablePicture as error:
            verdict = unreadable(picture.file, str(error), self._settings)
            kept = self._verdicts.earlier(picture, verdict.run) is not None
            return Outcome(picture, verdict, kept)
        earlier = self._verdicts.earlier(picture, run_hash(data, self._settings))
        return None if earlier is None else Outcome(picture, earlier, kept=True)


@contextmanager
def _tables(options: Options) -> Iterator[list[Table]]:
    """Opens the tables wanted, and names them when the run ends, however it ends."""
    with ExitStack() as stack:
        tables = []
        for path, open_table in ((options.csv, csv_table), (options.jsonl, jsonl_table)):
            if path is not None:
                tables.append(open_table(path))
                stack.callback(tables[-1].finish)
        yield tables


class _Progress:
    """A progress bar on standard error where a person watches it."""

    def __init__(self, total: int, shown: bool) -> None:
        self._bar = None
        if shown:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="picture", dynamic_ncols=True)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self) -> None:
        """Counts one picture."""
        if self._bar is not None:
            self._bar.update()

    def say(self, text: str) -> None:
        """Prints a line on standard error, above the bar."""
        if self._bar is not None:
            self._bar.clear()
        say(text, sys.stderr)


def _progress(options: Options, listing: Listing) -> _Progress:
    watched = sys.stderr is not None and sys.stderr.isatty()
    return _Progress(len(listing.pictures), watched and not options.quiet)


def _refuse_overwriting(options: Options, listing: Listing) -> None:
    """Refuses an output that would take the place of a picture, or a table that of an XML file.

    A picture may be called `a.xml`: its first bytes tell that it is one. Only paths whose names
    are alike are resolved, there can be many.
    """
    tables = [path for path in (options.csv, options.jsonl) if path is not None]
    names = {path.name for path in tables}
    pictures = {
        (options.input / picture.file).resolve()
        for picture in listing.pictures
        if picture.file.endswith(XML_SUFFIX) or picture.file.rpartition("/")[2] in names
    }
    xml_files = {
        (options.output / picture.xml).resolve()
        for picture in listing.pictures
        if pictures or picture.xml.rpartition("/")[2] in names
    }
    lost = (pictures & xml_files) | ({path.resolve() for path in tables} & (pictures | xml_files))
    if lost:
        raise UsageError(f"{min(lost)}: would be overwritten; choose another output")

"""One run of the command over a folder: judge, write, show progress, count."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import get_args

import cv2

from image_gender_classifier import api
from image_gender_classifier.console import say
from image_gender_classifier.errors import UsageError
from image_gender_classifier.listing import XML_SUFFIX, Listing, list_pictures
from image_gender_classifier.options import PROGRAM, Options
from image_gender_classifier.outputs import Table, XmlFolder, csv_table, jsonl_table
from image_gender_classifier.verdict import Status
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
    listing = list_pictures(options.input, options.recursive, skip=options.output)
    if not listing.pictures:
        hint = "" if options.recursive else "; --recursive looks into the folders below it too"
        raise UsageError(f"{options.input}: no picture in this folder{hint}")
    _refuse_overwriting(options, listing)
    classifier = api.load(options.model, options.runtime, options.detector, options.threshold)
    # Pictures are spread over workers; threads of OpenCV's own would only get in their way.
    cv2.setNumThreads(1)
    folder = XmlFolder(options.output)
    outcomes = classifier.judge_listed(
        listing.pictures,
        options.input,
        options.workers,
        folder.earlier if options.resume else None,
    )
    started = time.perf_counter()
    statuses: Counter[str] = Counter()
    kept = newly_unreadable = 0
    with _tables(options) as tables, closing(outcomes), _progress(options, listing) as progress:
        for outcome in outcomes:
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

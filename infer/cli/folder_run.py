"""One run of the command over a folder: judge, write, show progress, count."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.cli.options import PROGRAM, Options
from image_gender_classifier.cli.subfolders import count_below
from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.manifest.cache_key import run_hash, unreadable
from image_gender_classifier.outputs.files import (
    DrawingFolder,
    Table,
    XmlFolder,
    contact_sheet,
    csv_table,
    jsonl_table,
)
from image_gender_classifier.outputs.naming import DRAWING_SUFFIX, XML_SUFFIX, PictureFile
from image_gender_classifier.outputs.xml import printable
from image_gender_classifier.results import Prediction
from image_gender_classifier.scan import Listing, list_pictures
from image_gender_classifier.system import profiling
from image_gender_classifier.system.console import say
from image_gender_classifier.system.locking import held
from image_gender_classifier.system.profiling import Clock
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Outcome, Supervisor

_WAITING = "wait for the other process"
_COUNTED = ("female", "male", "uncertain", "no_face", "unreadable")
_OPENERS = {"--csv": csv_table, "--jsonl": jsonl_table, "--contact-sheet": contact_sheet}


class Totals(NamedTuple):
    """What a run did.

    Attributes:
        counts: Pictures by gender where they are classified, else by status.
        kept: Pictures whose verdict an earlier run had written.
        newly_unreadable: Pictures that this run found unreadable.
        failed: Pictures that met an internal error.
        ignored: Files that are no pictures.
        seconds: How long it took.
    """

    counts: Counter[str]
    kept: int
    newly_unreadable: int
    failed: int
    ignored: int
    seconds: float

    def summary(self) -> str:
        """The last line that a user sees."""
        pictures = sum(self.counts.values())
        counts = ", ".join(f"{self.counts[what]} {what.replace('_', ' ')}" for what in _COUNTED)
        line = f"{pictures} picture{'s' * (pictures != 1)}: {counts}"
        if self.failed:
            line += f"; {self.failed} more met an internal error"
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
        RuntimeMissing: There is no runtime, or no OpenCV that can be used.
        OutputError: The output can no longer be written.
    """
    clock = profiling.clock(options.profile)
    # The worker starts while the folder is listed.
    with working(options) as supervisor:
        listing = listed(options)
        if listing.total == 0:
            hint = _hint_at_folders(options)
            raise UsageError(f"{options.input}: no picture in this folder{hint and '; '}{hint}")
        clock.lap("list the pictures")
        totals = _classify(options, listing, supervisor, clock)
        if options.profile:
            own, worker = clock.taken(), supervisor.seconds
            say(profiling.table("The command", own, listing.total), sys.stderr)
            say(profiling.table("The processes that judge", worker, listing.total), sys.stderr)
        if not options.quiet and (hint := _hint_at_folders(options)):
            _warn(options, hint)
        return totals


def _hint_at_folders(options: Options) -> str:
    """A sentence on pictures in folders that are not searched; empty where there are none."""
    if options.recursive:
        return ""
    below = count_below(options.input, skip=_folders(options))
    if not below.pictures:
        return ""
    what = "picture lies" if below.pictures == 1 else "pictures lie"
    return (
        f"{'' if below.complete else 'at least '}{below.pictures:,} {what} in folders below "
        f"{printable(str(options.input))}; add --recursive (make classify ... ARGS=--recursive) "
        "to classify them"
    )


@contextmanager
def working(options: Options) -> Iterator[Supervisor]:
    """Keeps other runs out of the folders that are written to, and a worker ready, for a while.

    Raises:
        UsageError: Another run is in one of the folders.
    """
    task = Task(
        options.choices,
        options.workers,
        copies=options.annotate is not None,
        thumbnails=options.contact_sheet is not None,
        profile=options.profile,
    )
    with held(_folders(options)), Supervisor(task, warn=partial(_warn, options)) as supervisor:
        yield supervisor


def listed(options: Options) -> Listing:
    """Lists the pictures to judge.

    Raises:
        UsageError: The folder cannot be read, or the output would take a picture's place.
    """
    listing = list_pictures(options.input, options.recursive, skip=_folders(options))
    _refuse_overwriting(options, listing)
    return listing


def _warn(options: Options, text: str) -> None:
    if not options.quiet:
        say(f"{PROGRAM}: {text}", sys.stderr)


def _classify(options: Options, listing: Listing, supervisor: Supervisor, clock: Clock) -> Totals:
    settings = supervisor.settings  # before any file is touched: the libraries may be unusable
    written = Written(options)
    known = Earlier(options, written, settings, clock) if options.resume else None
    clock.lap(_WAITING)
    started = time.perf_counter()
    counts: Counter[str] = Counter()
    kept = newly_unreadable = failed = 0
    with _tables(options) as tables, _progress(options, listing) as progress:
        for outcome in supervisor.classify(listing.pictures, options.input, known):
            clock.lap(_WAITING)
            prediction = outcome.prediction
            if prediction is None:
                failed += 1
                progress.say(internal_error(outcome))
                progress.advance()
                continue
            written.write(outcome, prediction)
            clock.lap("write the files")
            for table in tables:
                table.add(prediction, outcome.drawings)
            classified = prediction.status == "classified"
            counts[prediction.gender if classified else prediction.status] += 1
            kept += outcome.kept
            if prediction.status == "unreadable" and not outcome.kept:
                newly_unreadable += 1
                progress.say(f"{PROGRAM}: {printable(prediction.file)!r}: {prediction.message}")
            progress.advance()
            clock.lap("tables and progress")
    seconds = time.perf_counter() - started
    return Totals(counts, kept, newly_unreadable, failed, listing.ignored, seconds)


def internal_error(outcome: Outcome) -> str:
    """The line that names a picture and the internal error that it met."""
    file = printable(outcome.picture.file)
    return f"{PROGRAM}: {file!r}: internal error ({printable(outcome.error or '')})"


class Written:
    """The files that each picture has: its XML file, and a drawing where that is wanted.

    Raises:
        OutputError: A folder cannot be written to.
    """

    def __init__(self, options: Options) -> None:
        self._pictures = options.input
        self.predictions = XmlFolder(options.output)
        self.copies = None if options.annotate is None else DrawingFolder(options.annotate)

    def write(self, outcome: Outcome, prediction: Prediction) -> None:
        """Writes what is new of a picture.

        Raises:
            OutputError: It cannot be written.
        """
        if self.copies is not None and outcome.drawings.copy is not None:
            self.copies.write(outcome.picture, outcome.drawings.copy, prediction.run)
        if not outcome.kept and not self._is_gone(outcome, prediction):
            self.predictions.write(outcome.picture, prediction)

    def _is_gone(self, outcome: Outcome, prediction: Prediction) -> bool:
        """Tells whether a picture has gone since the folder was listed, and has a verdict.

        So a folder that is moved away meanwhile costs no verdict of an earlier run.
        """
        if prediction.status != "unreadable" or not self.predictions.has(outcome.picture):
            return False
        return not os.path.lexists(self._pictures / outcome.picture.file)


class Earlier:
    """Knows the verdicts of an earlier run that still hold."""

    def __init__(self, options: Options, written: Written, settings: str, clock: Clock) -> None:
        self._pictures = options.input
        self._limits = Limits.of(options.choices)
        self._shown = options.contact_sheet is not None
        self._predictions = written.predictions
        self._copies = written.copies
        self._settings = settings
        self._clock = clock

    def __call__(self, picture: PictureFile) -> Outcome | None:
        """Gives the outcome of a picture that need not be judged."""
        self._clock.lap(_WAITING)
        try:
            return self._kept(picture)
        finally:
            self._clock.lap("compare with the earlier run")

    def _kept(self, picture: PictureFile) -> Outcome | None:
        try:
            data = read_bytes(self._pictures / picture.file, self._limits)
        except UnreadablePicture as error:
            prediction = unreadable(picture.file, str(error), self._settings)
            kept = self._predictions.earlier(picture, prediction.run) is not None
            return Outcome(picture, prediction, kept)
        earlier = self._predictions.earlier(picture, run_hash(data, self._settings))
        if earlier is None or self._to_draw(picture, earlier):
            return None
        return Outcome(picture, earlier, kept=True)

    def _to_draw(self, picture: PictureFile, prediction: Prediction) -> bool:
        """Tells whether something must be drawn of a picture, and so it must be judged again."""
        if prediction.status == "unreadable":
            return False
        if self._shown and prediction.doubtful:
            return True
        return self._copies is not None and not self._copies.shows(picture, prediction.run)


@contextmanager
def _tables(options: Options) -> Iterator[list[Table]]:
    """Opens the tables wanted, and names them when the run ends, however it ends."""
    with ExitStack() as stack:
        tables = []
        for option, path in options.files.items():
            tables.append(_OPENERS[option](path))
            stack.callback(tables[-1].finish)
        yield tables


class _Progress:
    """A progress bar on standard error where a person watches it."""

    def __init__(self, total: int, shown: bool) -> None:
        self._bar = None
        if shown:
            try:
                from tqdm import tqdm
            except ImportError:  # verdicts matter more than a bar
                return
            tqdm.monitor_interval = 0  # it would be a thread, and processes are forked
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
    return _Progress(listing.total, watched and not options.quiet)


def _refuse_overwriting(options: Options, listing: Listing) -> None:
    """Refuses an output that would take the place of a picture, or a table that of an XML file.

    A picture may be called `a.xml`: its first bytes tell that it is one. There can be many
    pictures, so those that nothing could replace are passed over by their endings.
    """
    tables = {path.resolve() for path in options.files.values()}
    names = {path.name for path in tables}
    endings = (
        (XML_SUFFIX, *names) if options.annotate is None else (XML_SUFFIX, DRAWING_SUFFIX, *names)
    )
    at_risk = {file for file in listing.files if file.endswith(endings)}
    if not at_risk and not tables:
        return
    alike = names | {_name(file) for file in at_risk}
    written = {
        (folder / file).resolve()
        for folder, file in _written(options, listing)
        # A file that is not there yet takes no picture's place, only that of a table.
        if _name(file) in alike and (_name(file) in names or (folder / file).exists())
    }
    taken = written | tables
    lost = written & tables
    if taken:
        lost |= taken & {(options.input / file).resolve() for file in at_risk}
    if lost:
        raise UsageError(f"{min(lost)}: would be overwritten; choose another output")


def _written(options: Options, listing: Listing) -> Iterator[tuple[Path, str]]:
    """The files that are written for each picture: their folder, and their paths below it."""
    for picture in listing.pictures:
        yield options.output, picture.xml
        if options.annotate is not None:
            yield options.annotate, picture.drawing


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _folders(options: Options) -> list[Path]:
    """The folders that are written to."""
    return [folder for folder in (options.output, options.annotate) if folder is not None]

"""Common parts of a folder run and a watched folder: locks, workers, the list of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.placing import choose_output_names
from image_gender_classifier.cli.terminal import tell, tell_nothing
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.naming import NameRules
from image_gender_classifier.outputs.registry import list_output_folders, needs_drawing
from image_gender_classifier.scan import Listing, Unread, list_pictures
from image_gender_classifier.system import logs
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Supervisor


@contextmanager
def started(options: Options) -> Iterator[Supervisor]:
    """Locks the output folders and starts the workers while the context is open.

    Raises:
        UsageError: Another run writes to one of the folders.
        RuntimeMissing: No worker process can be started.
    """
    task = Task(
        options.settings,
        options.workers,
        copies=needs_drawing(options.outputs, "copy"),
        thumbnails=needs_drawing(options.outputs, "thumbnail"),
        profile=options.profile,
        debug=options.debug,
    )
    warn = tell_nothing if options.quiet else tell
    with (
        lock_folders(list_output_folders(options.outputs)),
        Supervisor(task, warn=warn) as supervisor,
    ):
        yield supervisor


def scanned(options: Options, rules: NameRules) -> Listing:
    """Lists the pictures of the input folder, without those in output folders.

    Args:
        options: The options of the run.
        rules: The names that the output folders accept (see `detect_name_rules`).

    Returns:
        The pictures, with the names of their XML files.

    Raises:
        UsageError: The folder cannot be read.
    """
    skip = list_output_folders(options.outputs)
    found = list_pictures(options.input, options.recursive, skip, options.hidden)
    (xml,) = (target.path for target in options.outputs if target.entry.required)
    listing = choose_output_names(found, options.input, xml, rules)
    logs.debug(
        "found %d pictures in %d folders of %s",
        listing.total,
        len(listing.folders),
        options.input,
    )
    return listing


def unread_message(folder: Path, unread: Unread) -> str:
    """Returns the message for a subfolder that cannot be read."""
    return (
        f"{escape_text(str(folder / unread.path))!r}: the folder cannot be read ({unread.reason}); "
        "its pictures are skipped"
    )


def rewritten_message(file: str, xml: str) -> str:
    """Returns the message for an XML file that could not get its usual name."""
    return f"{escape_text(file)!r}: the XML file is called {escape_text(xml)!r}"

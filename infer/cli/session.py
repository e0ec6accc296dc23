"""What a run over a folder and a watched folder share: locks, workers, the list of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.overwrite import refuse_overwriting
from image_gender_classifier.cli.terminal import tell, tell_nothing
from image_gender_classifier.outputs.registry import Target, draws, folders
from image_gender_classifier.scan import Listing, list_pictures
from image_gender_classifier.system import logs
from image_gender_classifier.system.locking import held
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Supervisor


@contextmanager
def started(options: Options) -> Iterator[Supervisor]:
    """Locks the output folders and starts the workers.

    Raises:
        UsageError: Another run writes into one of the folders.
    """
    task = Task(
        options.settings,
        options.workers,
        copies=draws(options.outputs, "copy"),
        thumbnails=draws(options.outputs, "thumbnail"),
        profile=options.profile,
        debug=options.debug,
    )
    warn = tell_nothing if options.quiet else tell
    with held(folders(options.outputs)), Supervisor(task, warn=warn) as supervisor:
        yield supervisor


def scanned(folder: Path, recursive: bool, targets: tuple[Target, ...]) -> Listing:
    """Lists the pictures of a folder without those in output folders.

    Raises:
        UsageError: The folder cannot be read, or an output would overwrite something.
    """
    listing = list_pictures(folder, recursive, skip=folders(targets))
    refuse_overwriting(folder, listing, targets)
    logs.debug("found %d pictures in %d folders of %s", listing.total, len(listing.folders), folder)
    return listing

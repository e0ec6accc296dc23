"""Starts the worker processes as early as possible.

They load their libraries while the parent process imports the other modules of the run, so this
module imports only those that a worker needs too.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.terminal import tell, tell_nothing
from image_gender_classifier.outputs.registry import list_output_folders, needs_drawing
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Supervisor


@contextmanager
def start_workers(options: Options) -> Iterator[Supervisor]:
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
        gc.enable()
        yield supervisor

"""Starts the worker processes as early as possible.

Workers load their libraries while the parent process imports the other modules of the run, so this
module imports only modules that a worker needs too.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.terminal import discard_message, print_message
from image_gender_classifier.outputs.registry import list_output_folders, needs_drawing
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Supervisor


@contextmanager
def start_workers(options: Options) -> Iterator[Supervisor]:
    """Locks the output folders and runs the worker processes while the context is open.

    Enables the garbage collector, which `__main__` has disabled.

    Args:
        options: The options of the command.

    Yields:
        The supervisor of the workers, which may still be loading their libraries.

    Raises:
        UsageError: Another run writes to one of the output folders.
        RuntimeMissing: No worker process can be started.
    """
    task = Task(
        options.settings,
        options.workers,
        copies=needs_drawing(options.outputs, "copy"),
        copy_side=options.output_settings.annotate_size,
        thumbnails=needs_drawing(options.outputs, "thumbnail"),
        stored=needs_drawing(options.outputs, "stored"),
        profile=options.profile,
        debug=options.debug,
    )
    part = None if options.shard is None else options.shard.label
    warn = discard_message if options.quiet else print_message
    with (
        lock_folders(list_output_folders(options.outputs), part),
        Supervisor(task, warn=warn) as supervisor,
    ):
        gc.enable()
        yield supervisor

"""Shows progress on standard error."""

from __future__ import annotations

import sys

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.cli.totals import Totals


class Progress:
    """A progress bar; a context manager that closes the bar.

    Args:
        total: Number of pictures.
        wanted: Whether to show the bar. It is never shown if standard error is not a terminal or
            tqdm is not installed.
    """

    def __init__(self, total: int, wanted: bool) -> None:
        self._bar = None
        if wanted and sys.stderr is not None and sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            tqdm.monitor_interval = 0  # tqdm's monitor thread would make fork unsafe
            self._bar = tqdm(total=total, unit="picture", dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self) -> None:
        """Advances the bar, if it is shown, by one picture."""
        if self._bar is not None:
            self._bar.update()

    def print_message(self, text: str) -> None:
        """Prints a message to standard error, above the bar."""
        if self._bar is not None:
            self._bar.clear()
        print_message(text)


def open_progress(options: Options, total: int, totals: Totals) -> Progress:
    """Returns the progress that the options ask for.

    Args:
        options: The options of the command.
        total: Number of pictures.
        totals: The counts of the run so far.
    """
    if options.progress == "json":
        from image_gender_classifier.cli.json_progress import JsonProgress  # rarely needed

        return JsonProgress(total, totals)
    # A bar would mix with predictions on the same terminal.
    is_shared = options.prints_predictions and sys.stdout is not None and sys.stdout.isatty()
    is_wanted = not (options.quiet or options.verbose or is_shared)
    return Progress(total, options.progress == "auto" and is_wanted)

"""Shows a progress bar."""

from __future__ import annotations

import sys

from image_gender_classifier.cli.terminal import tell


class Progress:
    """A progress bar on standard error.

    Args:
        total: Number of pictures.
        wanted: Whether to show the bar, if standard error is a terminal and tqdm is installed.
    """

    def __init__(self, total: int, wanted: bool) -> None:
        self._bar = None
        if wanted and sys.stderr is not None and sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            tqdm.monitor_interval = 0  # its thread would make forking workers unsafe
            self._bar = tqdm(total=total, unit="picture", dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self) -> None:
        """Advances the bar by one picture."""
        if self._bar is not None:
            self._bar.update()

    def tell(self, text: str) -> None:
        """Prints a message to standard error, above the bar."""
        if self._bar is not None:
            self._bar.clear()
        tell(text)

"""A progress bar with the time left for the training of a network."""

from __future__ import annotations

import sys
from typing import Any

import keras
from tqdm import tqdm

from image_gender_classifier.train.common.command import print_line


class TrainingProgress(keras.callbacks.Callback):  # type: ignore[misc]
    """A bar over all steps of a training, on stderr if that is a terminal."""

    def __init__(self, epochs: int, steps: int, done: int) -> None:
        """Opens the bar.

        Args:
            epochs: Total number of epochs.
            steps: Batches per epoch.
            done: Number of epochs that an earlier run has finished.
        """
        super().__init__()
        self._bar = tqdm(
            total=epochs * steps, initial=done * steps, desc="training", unit="batch",
            leave=False, disable=None,
        )  # fmt: skip

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002  Keras's
        """Moves the bar by one batch."""
        self._bar.update()

    def print_line(self, text: str) -> None:
        """Prints a line to stdout, above the bar."""
        with tqdm.external_write_mode():
            print_line(text, sys.stdout)

    def close(self) -> None:
        """Removes the bar."""
        self._bar.close()

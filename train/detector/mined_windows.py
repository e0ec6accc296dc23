"""The mined windows of a training run, stored beside its checkpoints."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.detector.mining import Maps, Window, mine
from image_gender_classifier.train.detector.network import BOX, HEAT

_FILE = "mined.npy"
_KEPT = 8192  # windows; those of earlier searches follow the latest
_FIELDS = len(Window._fields)


class MinedWindows:
    """Searches backgrounds with a network in training, every few epochs.

    The first row of the file is the epoch that the last search belongs to, so that a resumed run
    uses the same windows.
    """

    def __init__(
        self, folder: Path, model: keras.Model, backgrounds: Sequence[Pixels], every: int
    ) -> None:
        """Configures the search.

        Args:
            folder: Existing folder for the file.
            model: The model in training.
            backgrounds: Pictures without people, each uint8 RGB, H x W x 3.
            every: Epochs between two searches; the first is after as many.
        """
        self._path = folder / _FILE
        self._model = model
        self._backgrounds = backgrounds
        self._every = every

    def of(self, epoch: int) -> list[Window]:
        """Returns the windows for an epoch (0-based), after a search if one is due.

        Raises:
            ModelError: The file is corrupt.
            OutputError: The file cannot be written.
        """
        if epoch < self._every:
            return []
        due = epoch - epoch % self._every
        searched, windows = self._read()
        if searched < due:
            found = mine(self._backgrounds, self._run, self._model.input_shape[1])
            print_line(
                f"mining: {len(found):,} windows in which the network sees a face", sys.stdout
            )
            windows = list(dict.fromkeys((*found, *windows)))[:_KEPT]
            self._write(due, windows)
        return windows

    def _run(self, pixels: Pixels) -> Maps:
        maps = self._model.predict_on_batch(pixels.astype(np.float32))
        return maps[HEAT][..., 0], maps[BOX]

    def _read(self) -> tuple[int, list[Window]]:
        if not self._path.exists():
            return -1, []
        try:
            rows = np.load(self._path, allow_pickle=False).reshape(-1, _FIELDS).tolist()
            return rows[0][0], [Window(*row) for row in rows[1:]]
        except (OSError, ValueError, IndexError, EOFError) as error:
            raise ModelError(f"{self._path}: is corrupt ({error}); delete its folder") from None

    def _write(self, epoch: int, windows: Sequence[Window]) -> None:
        rows = np.array([(epoch, 0, 0, 0), *windows], dtype=np.int32)
        content = io.BytesIO()
        np.save(content, rows, allow_pickle=False)
        write_atomic(self._path, content.getvalue())

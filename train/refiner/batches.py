"""Batches of candidates for the face refiner."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from image_gender_classifier.train.refiner.candidates import Candidates
from image_gender_classifier.train.refiner.labels import move_label
from image_gender_classifier.train.refiner.network import FACE, FRAME
from image_gender_classifier.train.refiner.views import Move, alter, draw_view, sample_move


class CandidateBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Keras dataset of candidates in random order, and views of them.

    A batch consists of views (float32 RGB, B x S x S x 3, 0 to 255) and the targets of `losses` by
    output name. With the same candidates, a batch depends only on `key` and its index.
    """

    def __init__(
        self,
        candidates: Candidates,
        count: int,
        *,
        size: int,
        batch: int,
        distilled: float,
        key: tuple[int, ...] | None,
    ) -> None:
        """Configures the dataset.

        Args:
            candidates: The candidates.
            count: Number of views; an incomplete last batch is dropped. Candidates repeat if there
                are fewer.
            size: Side of the views in pixels (S).
            batch: Views per batch (B).
            distilled: Weight of the verifier's probability; that of the label is 1 less that.
            key: Seed of order and views; None for views that are neither moved nor altered.
        """
        super().__init__(workers=2, max_queue_size=16)
        self._candidates = candidates
        self._size = size
        self._batch = batch
        self._distilled = distilled
        self._key = key
        order = np.arange(len(candidates.labels))
        if key is not None:
            order = np.random.default_rng(key).permutation(order)
        self._order = np.resize(order, count)

    def __len__(self) -> int:
        return len(self._order) // self._batch

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        part = self._order[index * self._batch : (index + 1) * self._batch]
        views, faces, frames = [], [], []
        random = None if self._key is None else np.random.default_rng((*self._key, index))
        for place in part:
            label = self._candidates.labels[place]
            move = Move() if random is None else sample_move(label.is_face is not False, random)
            view = draw_view(self._candidates.patches[place], self._size, move)
            views.append(view if random is None else alter(view, random))
            seen = move_label(label, move.right, move.down, move.log_side)
            verified = float(self._candidates.verified[place])
            known = float(label.is_face or 0)
            target = (1 - self._distilled) * known + self._distilled * verified
            faces.append((target, float(label.is_face is not None)))
            frames.append((seen.right, seen.down, seen.log_side, float(label.has_frame)))
        targets = {FACE: np.array(faces, np.float32), FRAME: np.array(frames, np.float32)}
        return np.stack(views).astype(np.float32), targets

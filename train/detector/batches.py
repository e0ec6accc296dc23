"""Batches of synthetic scenes with their target maps."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.train.detector import maps, scenes
from image_gender_classifier.train.detector.network import BOX, HEAT
from image_gender_classifier.train.detector.scenes import Sources


class SceneBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Keras dataset of synthetic scenes with their target maps.

    A batch consists of letterboxed pixels (float32 RGB, B x S x S x 3, 0 to 255) and the target
    maps of `make_target_maps` by output name. With the same sources and size, a scene depends only
    on `key` and its index.
    """

    def __init__(
        self, sources: Sources, count: int, *, size: int, batch: int, key: tuple[int, ...]
    ) -> None:
        """Configures the dataset.

        Args:
            sources: Faces and backgrounds.
            count: Number of scenes; an incomplete last batch is dropped.
            size: Side of the network's input in pixels (S).
            batch: Scenes per batch (B).
            key: Seed of the scenes.
        """
        super().__init__(workers=2, max_queue_size=16)
        self._sources = sources
        self._count = count
        self._size = size
        self._batch = batch
        self._key = key

    def __len__(self) -> int:
        return self._count // self._batch

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        pixels, heatmaps, boxes = [], [], []
        for number in range(index * self._batch, (index + 1) * self._batch):
            random = np.random.default_rng((*self._key, number))
            scene = scenes.draw(self._sources, self._size, random)
            heatmap, box = maps.make_target_maps(scene.frames, self._size)
            pixels.append(letterbox(scene.pixels, self._size))
            heatmaps.append(heatmap)
            boxes.append(box)
        return np.stack(pixels, dtype="f4"), {HEAT: np.stack(heatmaps), BOX: np.stack(boxes)}

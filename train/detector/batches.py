"""Batches of synthetic scenes with their target maps."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.train.detector import maps, scenes
from image_gender_classifier.train.detector.network import BOX, HEAT
from image_gender_classifier.train.detector.scene import Scene, Sources
from image_gender_classifier.train.detector.teacher import Teacher

_VIEWS = 2  # of each picture


class SceneBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Keras dataset of synthetic scenes with their target maps.

    A batch consists of letterboxed pixels (float32 RGB, B x S x S x 3, 0 to 255) and the target
    maps of `make_target_maps` by output name, with the teacher's maps as further channels if there
    is a teacher. With the same sources and size, a scene depends only on `key` and its index.
    """

    def __init__(
        self,
        sources: Sources,
        count: int,
        *,
        size: int,
        batch: int,
        key: tuple[int, ...],
        teacher: Teacher | None = None,
    ) -> None:
        """Configures the dataset.

        Args:
            sources: Faces and backgrounds.
            count: Number of scenes; an incomplete last batch is dropped.
            size: Side of the network's input in pixels (S).
            batch: Scenes per batch (B).
            key: Seed of the scenes.
            teacher: Adds its answers to the true maps.
        """
        super().__init__(workers=2, max_queue_size=16)
        self._sources = sources
        self._count = count
        self._size = size
        self._batch = batch
        self._key = key
        self._teacher = teacher

    def __len__(self) -> int:
        return self._count // self._batch

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        pixels, heatmaps, boxes = [], [], []
        for scene in self._draw(index):
            heatmap, box = maps.make_target_maps(scene.frames, self._size)
            pixels.append(letterbox(scene.pixels, self._size))
            heatmaps.append(heatmap)
            boxes.append(box)
        shown = np.stack(pixels)
        targets = np.stack(heatmaps), np.stack(boxes)
        if self._teacher is not None:
            targets = self._teacher.answer(shown, *targets)
        return shown.astype(np.float32), dict(zip((HEAT, BOX), targets, strict=True))

    def _draw(self, index: int) -> list[Scene]:
        random = np.random.default_rng((*self._key, index))
        drawn: list[Scene] = []
        while len(drawn) < self._batch:
            drawn += scenes.draw_views(self._sources, self._size, _VIEWS, random)
        return drawn[: self._batch]

"""The teacher: a converted face detector whose maps a network in training learns, too.

Follows Hinton et al., "Distilling the Knowledge in a Neural Network" (2015). The true maps say
where a face was pasted; those of a larger network also say how sure one can be of it, and where its
frame is when the crop was not framed well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError, RuntimeMissing
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.runtimes import Runtime, registry
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.train.detector.mining import Maps, RunNetwork

_NEAR = 0.1  # true heat from which the teacher's counts
_UNSURE, _SURE = 0.1, 0.3  # probability from which its heat and its box count
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained network.

    Attributes:
        run: The network.
        weight: Weight of its answers, from 0 to 1. The loss of its heat is added to that of the
            true heat, whose weight stays 1; boxes are mixed, the true ones with the rest to 1.
    """

    run: RunNetwork
    weight: float

    def answer(self, pixels: Pixels, heatmaps: _Floats, boxes: _Floats) -> tuple[_Floats, _Floats]:
        """Adds its answers for pixels (uint8 RGB, N x S x S x 3); see `add_answers`."""
        return add_answers(heatmaps, boxes, *self.run(pixels), self.weight)


def open_teacher(folder: Path, size: int) -> tuple[RunNetwork, str]:
    """Opens the face detector of a model folder with the first runtime that is available.

    Args:
        folder: Folder of converted models with their manifest.
        size: Side of the input in pixels that it must have.

    Returns:
        The network and the SHA-256 of its file.

    Raises:
        ModelError: The folder lists no such network, or its file is missing or corrupt.
        RuntimeMissing: No runtime is available.
    """
    models = manifest.load(folder)
    reasons = []
    for runtime in registry.automatic_runtimes():
        for entry in models.face_detectors.values():
            if entry.format != runtime.format:
                continue
            if entry.input_shape != (size, size, 3):
                raise ModelError(f"{folder / entry.file}: its input is not {size} x {size} pixels")
            try:
                network = open_network(runtime.name, folder, entry)
            except RuntimeMissing as error:
                reasons.append(str(error))
                continue
            return _bind(network), entry.sha256
    if reasons:
        raise RuntimeMissing("; ".join(reasons))
    raise ModelError(
        f"{folder}: lists no converted face detector; run image-gender-convert-detector"
    )


def _bind(network: Runtime) -> RunNetwork:
    def run(pixels: Pixels) -> Maps:
        by_channels = {output.shape[-1]: output for output in network.run(pixels)}
        return by_channels[1][..., 0], by_channels[3]

    return run


def add_answers(
    heatmaps: _Floats, boxes: _Floats, logits: _Floats, predicted: _Floats, weight: float
) -> tuple[_Floats, _Floats]:
    """Adds a teacher's answers to the true maps, near the faces that it sees.

    Elsewhere it may see faces in error, and it misses faces that are smaller than those it was
    trained on.

    Args:
        heatmaps: True heatmaps, N x G x G x 1.
        boxes: True boxes and weights, N x G x G x 4.
        logits: The teacher's logits, N x G x G.
        predicted: The teacher's boxes, N x G x G x 3.
        weight: Weight of its answers, from 0 to 1.

    Returns:
        Heatmaps (N x G x G x 3): the true one, the teacher's probability and its weight, 0 where
        it does not count; and boxes (N x G x G x 4): the weighted mean of both where the teacher
        is sure, else the true ones, and the true weight. Both are float32.
    """
    probability = (1 / (1 + np.exp(-np.clip(logits, -30, 30))))[..., np.newaxis]
    near = weight * ((heatmaps >= _NEAR) & (probability >= _UNSURE))
    shares = weight * ((boxes[..., 3:] > 0) & (probability >= _SURE))
    mixed = boxes[..., :3] + shares * (predicted - boxes[..., :3])
    return (
        np.concatenate([heatmaps, probability, near], axis=-1, dtype=np.float32),
        np.concatenate([mixed, boxes[..., 3:]], axis=-1, dtype=np.float32),
    )

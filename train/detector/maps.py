"""Training targets of the face detector: a heatmap of face centres and a map of bounding boxes.

Follows CenterNet (Zhou et al., "Objects as Points", 2019): a Gaussian peak at each centre, and the
offset and size of the box in the cells of the peak.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.heatmap import STRIDE, VOTE_THRESHOLD
from image_gender_classifier.results import Box

_Floats = npt.NDArray[np.float32]

_SIGMA = 0.08  # standard deviation of a peak, as a fraction of the side of its box
_MIN_SIGMA = 0.4  # cells


def make_target_maps(frames: Sequence[Box], size: int) -> tuple[_Floats, _Floats]:
    """Computes the target heatmap and the target boxes of a scene.

    Args:
        frames: Square bounding box of each face, in pixels of the network's input.
        size: Side of the network's input in pixels, a multiple of `STRIDE`.

    Returns:
        Two arrays, with G = size / `STRIDE`. The heatmap (float32, G x G x 1, 0 to 1) is exactly 1
        in the cell of each centre. The boxes (float32, G x G x 4) have the channels: offset of the
        centre from the middle of the cell in cells (right, down), natural logarithm of the box side
        over the input side, and weight in the loss (0 away from faces).
    """
    cells = size // STRIDE
    middles = np.arange(cells, dtype=np.float32) + 0.5
    heatmap = np.zeros((cells, cells), np.float32)
    boxes = np.zeros((cells, cells, 4), np.float32)
    for frame in frames:
        x, y = ((start + frame.width / 2) / STRIDE for start in (frame.x, frame.y))
        sigma = max(frame.width * _SIGMA / STRIDE, _MIN_SIGMA)
        # Centred on the cell instead of the centre, so that the peak is exactly 1.
        column, row = (min(max(int(centre), 0), cells - 1) for centre in (x, y))
        across = np.exp(-((middles - middles[column]) ** 2) / (2 * sigma**2))
        down = np.exp(-((middles - middles[row]) ** 2) / (2 * sigma**2))
        peak = np.outer(down, across).astype(np.float32)
        stronger = (peak > heatmap) & (peak >= VOTE_THRESHOLD)
        boxes[stronger, 0] = np.broadcast_to(x - middles, peak.shape)[stronger]
        boxes[stronger, 1] = np.broadcast_to((y - middles)[:, None], peak.shape)[stronger]
        boxes[stronger, 2] = np.log(frame.width / size)
        boxes[stronger, 3] = peak[stronger]
        heatmap = np.maximum(heatmap, peak)
    return heatmap[..., None], boxes

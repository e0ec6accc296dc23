"""Target maps of a scene: a heat map of face centres, and the frames relative to the cells.

Follows Zhou et al., "Objects as Points" (2019): a Gaussian bump at each centre, and offset and size
of the frame at the cells of the bump.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.heatmap import STRIDE, VOTE_THRESHOLD
from image_gender_classifier.results import Box

_Floats = npt.NDArray[np.float32]

_WIDTH = 0.08  # standard deviation of a bump, as a share of its frame's side
_NARROWEST = 0.4  # of a bump, in cells


def of(frames: Sequence[Box], size: int) -> tuple[_Floats, _Floats]:
    """Computes the target maps of a scene.

    Args:
        frames: The faces' frames, in pixels of the network's input.
        size: Side of that input in pixels.

    Returns:
        Heat from 0 to 1 (float32, G x G x 1), exactly 1 in the cell of each centre; and boxes
        (float32, G x G x 4): the offset of the centre from the middle of the cell in cells (right,
        down), the logarithm of the frame's side over the input's side, and the weight of these.
    """
    cells = size // STRIDE
    middles = np.arange(cells, dtype=np.float32) + 0.5
    heat = np.zeros((cells, cells), np.float32)
    boxes = np.zeros((cells, cells, 4), np.float32)
    for frame in frames:
        x, y = ((start + frame.width / 2) / STRIDE for start in (frame.x, frame.y))
        width = max(frame.width * _WIDTH / STRIDE, _NARROWEST)
        # Centred on the cell instead of the centre, so that the peak is exactly 1.
        column, row = (min(max(int(place), 0), cells - 1) for place in (x, y))
        across = np.exp(-((middles - middles[column]) ** 2) / (2 * width**2))
        down = np.exp(-((middles - middles[row]) ** 2) / (2 * width**2))
        bump = np.outer(down, across).astype(np.float32)
        stronger = (bump > heat) & (bump >= VOTE_THRESHOLD)
        boxes[stronger, 0] = np.broadcast_to(x - middles, bump.shape)[stronger]
        boxes[stronger, 1] = np.broadcast_to((y - middles)[:, None], bump.shape)[stronger]
        boxes[stronger, 2] = np.log(frame.width / size)
        boxes[stronger, 3] = bump[stronger]
        heat = np.maximum(heat, bump)
    return heat[..., None], boxes

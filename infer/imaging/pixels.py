"""The type of pixel arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""A picture (H x W or H x W x C) or a batch of pictures (N x H x W x C), uint8."""

"""The type of pixel arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""H x W, H x W x C or N x H x W x C."""

"""The cost of a Keras network."""

from __future__ import annotations

import keras
import numpy as np


def count_multiply_accumulates(model: keras.Model) -> int:
    """Counts those of convolutions and fully connected layers, for one input."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2D):
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            inputs = 1 if depthwise else layer.input.shape[-1]
            total += int(np.prod(layer.output.shape[1:]) * np.prod(layer.kernel_size) * inputs)
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
    return total

"""Feature maps of a trained gender network, for outputs that are added to it."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels

_BATCH = 128


def find_feature_map(model: keras.Model, layer: str) -> keras.KerasTensor:
    """Returns the output of a layer.

    Raises:
        ModelError: The model is not a gender network that image-gender-train created.
    """
    try:
        return model.get_layer(layer).output
    except ValueError:
        raise ModelError(
            "the model has no feature map; use a gender.keras that image-gender-train created"
        ) from None


def compute_maps(
    model: keras.Model, features: keras.KerasTensor, crops: Pixels
) -> npt.NDArray[np.float16]:
    """Returns the feature maps of crops (float16, N x G x G x C).

    Args:
        model: The network.
        features: Result of `find_feature_map`.
        crops: uint8 RGB, N x S x S x 3.
    """
    network = keras.Model(model.input, features)
    maps = np.empty((len(crops), *features.shape[1:]), np.float16)
    for start in range(0, len(crops), _BATCH):
        part = slice(start, start + _BATCH)
        maps[part] = network.predict_on_batch(crops[part].astype(np.float32))
    return maps

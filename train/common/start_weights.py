"""Copies the weights of a network to another one with the same layers."""

from __future__ import annotations

from collections.abc import Collection

import keras

from image_gender_classifier.errors import ModelError


def copy_layers(model: keras.Model, start: keras.Model, new: Collection[str] = ()) -> None:
    """Copies the weights of all layers from another network.

    Args:
        model: The network that gets them; `start` may have more layers.
        start: A trained network.
        new: Names of the layers that `start` may lack; there they keep their weights.

    Raises:
        ModelError: Another layer is missing in `start`, or one has another shape there.
    """
    others = {layer.name: layer for layer in start.layers if layer.weights}
    for layer in model.layers:
        other = others.get(layer.name)
        if not layer.weights or (other is None and layer.name in new):
            continue
        if other is None or _shapes(other) != _shapes(layer):
            raise ModelError(
                f"the layer {layer.name} is missing in the other network or has another shape there"
            )
        layer.set_weights(other.get_weights())


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weights.shape) for weights in layer.weights]

"""Starts a training from the weights of another network."""

from __future__ import annotations

from pathlib import Path

import keras

from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.common.keras_runtime import open_keras_model


def copy_known_layers(model: keras.Model, start: keras.Model) -> int:
    """Copies the weights of the layers that another network has, too.

    Args:
        model: The network in training. Layers that `start` lacks, or that have another shape there,
            keep their weights.
        start: The inference model of a trained network.

    Returns:
        The number of layers with copied weights.
    """
    others = {layer.name: layer.get_weights() for layer in start.layers}
    copied = 0
    for layer in model.layers:
        known = others.get(layer.name, [])
        if known and [w.shape for w in known] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(known)
            copied += 1
    return copied


def start_from_file(model: keras.Model, path: Path) -> None:
    """Copies all weights of another network into a network in training.

    Args:
        model: The network in training.
        path: The `.keras` file of the inference model of a network with the same layers.

    Raises:
        ModelError: Keras cannot load the file, or a layer is missing or has another shape.
    """
    copied = copy_known_layers(model, open_keras_model(path).model)
    if copied < sum(bool(layer.weights) for layer in model.layers):
        raise ModelError(
            f"{path}: the network has other layers than the one to train; give a network of the "
            "same recipe, or omit --from"
        )

"""The frame output of a gender network: a small head on the feature map at stride 8.

Heads on later maps are less accurate: these are trained to ignore where the face is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from image_gender_classifier.manifest.schema import FRAME_SHAPE, FrameOutput
from image_gender_classifier.train.common import loop
from image_gender_classifier.train.common.feature_maps import compute_maps, find_feature_map
from image_gender_classifier.train.frame_output.views import FrameViews

FRAME = "frame"
UNITS = FrameOutput(right=0.03, down=0.025, log_side=0.06)
"""Units of the outputs: about the standard deviation of the corrections. All three have the same
range, because quantisation has one step for them."""

_MAP = "block4_add"  # layer
_CELL = 3  # places of the map, across and down, that the head sees as one
_HIDDEN = 64
_DECAY = 1e-5
_MAP_DROPOUT = 0.05
_RATE, _BATCH = 2e-3, 256


def add_frame_output(model: keras.Model, views: FrameViews, seed: int, steps: int) -> keras.Model:
    """Trains a frame output and adds it to a gender network, whose other outputs stay the same.

    As in MobileFaceNets (Chen et al., 2018), depthwise convolutions over the whole feature map
    replace pooling.

    Args:
        model: The gender network; maps pixels (float32 RGB, N x S x S x 3, 0 to 255) to a logit,
            and possibly to the face output.
        views: The views, crops of side S.
        seed: Seed of the initial weights, of dropout and of the order of the views.
        steps: Number of training steps of 256 views.

    Returns:
        The model with one more output, in place of an earlier one of its kind: right, down and
        logarithm of the side, in `UNITS` (N x 3).

    Raises:
        ModelError: The model is not a gender network that image-gender-train created.
    """
    loop.make_deterministic(seed)
    features = find_feature_map(model, _MAP)
    head = _train_head(compute_maps(model, features, views.crops), views, seed, steps)
    others = [output for output in model.outputs if output.shape[1:] != FRAME_SHAPE]
    return keras.Model(model.input, [*others, _attach_head(head, features)], name=model.name)


def _train_head(
    maps: npt.NDArray[np.float16], views: FrameViews, seed: int, steps: int
) -> keras.Model:
    """Returns the trained head, which maps feature maps to corrections in `UNITS` (N x 3)."""
    decay: Mapping[str, Any] = {"depthwise_regularizer": keras.regularizers.L2(_DECAY)}
    features = keras.Input(maps.shape[1:])
    x = layers.SpatialDropout2D(_MAP_DROPOUT, seed=seed)(features)
    for layer in _make_layers(maps.shape[1], decay):
        x = layer(x)
    head = keras.Model(features, layers.Flatten()(x))
    schedule = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    head.compile(keras.optimizers.Adam(schedule), keras.losses.Huber())
    corrections = views.corrections / np.array(UNITS, np.float32)
    order = np.random.default_rng(seed)
    for _ in range(steps):
        chosen = order.integers(len(maps), size=min(_BATCH, len(maps)))
        head.train_on_batch(maps[chosen].astype(np.float32), corrections[chosen])
    return head


def _attach_head(head: keras.Model, features: keras.KerasTensor) -> keras.KerasTensor:
    """Adds a trained head, without dropout, to the layers that compute the feature map."""
    x = features
    for layer in _make_layers(features.shape[1], {}):
        x = layer(x)
        layer.set_weights(head.get_layer(layer.name).get_weights())
    return layers.Flatten(name="frame_flatten")(x)


def _make_layers(side: int, spatial: Mapping[str, Any]) -> list[keras.Layer]:
    """Returns the layers of the head with further arguments of the depthwise ones.

    Two small depthwise convolutions, because runtimes are slow at one over the whole map.
    """
    return [
        layers.DepthwiseConv2D(_CELL, _CELL, use_bias=False, name="frame_cells", **spatial),
        layers.Conv2D(_HIDDEN, 1, activation="relu6", name="frame_features"),
        layers.DepthwiseConv2D(side // _CELL, use_bias=False, name="frame_all", **spatial),
        layers.Conv2D(_HIDDEN, 1, activation="relu6", name="frame_hidden"),
        layers.Conv2D(3, 1, name=FRAME),
    ]

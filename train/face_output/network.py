"""The face output of a gender network: a small head on its last feature map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from image_gender_classifier.manifest.schema import FACE_SHAPE
from image_gender_classifier.train.common import efficientnet_lite, loop
from image_gender_classifier.train.common.feature_maps import compute_maps, find_feature_map
from image_gender_classifier.train.face_output.candidates import CandidateSet

FACE = "face"
_LAST_MAP = f"{efficientnet_lite.FEATURES}_relu6"  # layer
_DETECTOR_SLOPE = 2.0  # of the face detector's logit; the head learns what to add to the product

_HIDDEN = 48
_EDGE = 1  # cells at the edges of the feature map that the head ignores before it is trained
_WEIGHT_DECAY, _SPATIAL_DECAY = 3e-4, 9e-3
_MAP_DROPOUT, _DROPOUT = 0.1, 0.2
_RATE, _BATCH = 2e-3, 256
_SMOOTHING = 0.01  # of the labels


def add_face_output(
    model: keras.Model, candidates: CandidateSet, seed: int, steps: int
) -> keras.Model:
    """Trains a face output on candidates of the face detector and adds it to a gender network.

    The network itself does not change, so its gender output stays the same. As in MobileFaceNets
    (Chen et al., 2018), a depthwise convolution over the whole feature map replaces pooling.

    Args:
        model: The gender network; maps pixels (float32 RGB, N x S x S x 3, 0 to 255) to a logit.
        candidates: Crops of side S with their logits and labels.
        seed: Seed of the initial weights, of dropout and of the order of the candidates.
        steps: Number of training steps of 256 candidates.

    Returns:
        A model that maps pixels to the gender logit (N x 1) and the logits of "no face" and "face"
        (N x 2), whose difference is the face logit; also to its frame output, if it had one.

    Raises:
        ModelError: The model is not a gender network that image-gender-train created.
    """
    loop.make_deterministic(seed)
    features = find_feature_map(model, _LAST_MAP)
    maps = compute_maps(model, features, candidates.crops)
    head = _train_head(maps, candidates, seed, steps)
    frames = [output for output in model.outputs[1:] if output.shape[1:] != FACE_SHAPE]
    outputs = [model.outputs[0], _attach_head(head, features), *frames]
    return keras.Model(model.input, outputs, name=model.name)


def _train_head(
    maps: npt.NDArray[np.float16], candidates: CandidateSet, seed: int, steps: int
) -> keras.Model:
    """Returns the trained head, which maps feature maps to face logits (N x 1)."""
    head = _build_head(maps.shape[1:], seed)
    features = keras.Input(maps.shape[1:])
    known = keras.Input((1,))
    trained = keras.Model([features, known], layers.Add()([head(features), known]))
    count = len(maps)
    schedule = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    trained.compile(
        keras.optimizers.Adam(schedule),
        keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=_SMOOTHING),
    )
    order = np.random.default_rng(seed)
    labels = candidates.is_face.astype(np.float32)[:, np.newaxis]
    offsets = _DETECTOR_SLOPE * candidates.logits[:, np.newaxis]
    for _ in range(steps):
        chosen = order.integers(count, size=min(_BATCH, count))
        trained.train_on_batch([maps[chosen].astype(np.float32), offsets[chosen]], labels[chosen])
    return head


def _build_head(shape: tuple[int, ...], seed: int) -> keras.Model:
    """Builds the head with dropout and weight decay, for maps of a shape (G x G x C)."""
    side, _, channels = shape
    start = np.zeros((side, side, channels, 1), np.float32)
    inside = slice(_EDGE, max(side - _EDGE, _EDGE + 1))
    start[inside, inside] = 1 / (inside.stop - inside.start) ** 2

    def near_start(weights: keras.KerasTensor) -> keras.KerasTensor:
        return _SPATIAL_DECAY * keras.ops.sum((weights - start) ** 2)

    decay = keras.regularizers.L2(_WEIGHT_DECAY)
    spatial, hidden, face = _make_layers(
        side, {"depthwise_regularizer": near_start}, {"kernel_regularizer": decay}
    )
    features = keras.Input(shape)
    x = spatial(layers.SpatialDropout2D(_MAP_DROPOUT, seed=seed)(features))
    spatial.set_weights([start])
    x = layers.Dropout(_DROPOUT, seed=seed + 1)(x)
    x = face(layers.Dropout(_DROPOUT, seed=seed + 2)(hidden(x)))
    return keras.Model(features, layers.Flatten()(x))


def _attach_head(head: keras.Model, features: keras.KerasTensor) -> keras.KerasTensor:
    """Adds a trained head, without dropout, to the layers that compute the feature map.

    The face logit is split into two, because file formats order outputs by themselves, and the
    number of channels tells this one from the gender logit.
    """
    spatial, hidden, _ = _make_layers(features.shape[1], {}, {})
    both = layers.Conv2D(2, 1, name=FACE)
    x = layers.Flatten(name="face_flatten")(both(hidden(spatial(features))))
    for layer in (spatial, hidden):
        layer.set_weights(head.get_layer(layer.name).get_weights())
    halves = [weights / 2 for weights in head.get_layer(FACE).get_weights()]
    both.set_weights([np.concatenate([-half, half], axis=-1) for half in halves])
    return x


def _make_layers(
    side: int, spatial: Mapping[str, Any], plain: Mapping[str, Any]
) -> tuple[keras.Layer, keras.Layer, keras.Layer]:
    """Returns the layers of the head with further arguments of the first and of the others."""
    return (
        layers.DepthwiseConv2D(side, use_bias=False, name="face_spatial", **spatial),
        layers.Conv2D(_HIDDEN, 1, activation="relu6", name="face_hidden", **plain),
        layers.Conv2D(1, 1, name=FACE, **plain),
    )

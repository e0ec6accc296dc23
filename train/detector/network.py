"""The face detector networks: features of stride 8 and two heads.

`small` is the network for devices (see `small_network`). `lite0` takes three times as long and can
teach it: the first five blocks of EfficientNet-Lite0, and a branch of stride 16 with 5 x 5
convolutions, which enlarges the receptive field for faces that fill the picture.
"""

from __future__ import annotations

import keras
from keras import layers

from image_gender_classifier.train.common import efficientnet_lite
from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization
from image_gender_classifier.train.common.split_batch import SplitBatchModel
from image_gender_classifier.train.common.start_weights import copy_layers
from image_gender_classifier.train.detector.small_network import build_small_features

HEAT, BOX = "heat", "box"
SMALL, LITE0 = "small", "lite0"
_BLOCKS = 5
_CHANNELS = 56
_INITIAL_BIAS = -4.0  # of the heatmap logits; nearly all cells are empty


def build_detector_network(name: str, pretrained: bool, size: int) -> keras.Model:
    """Builds a network for training.

    Args:
        name: `SMALL` or `LITE0`.
        pretrained: Whether to load ImageNet weights, which exist for `LITE0` only.
        size: Side of the input in pixels, a multiple of 16 (S).

    Returns:
        A functional model that maps RGB pixels (float32, N x S x S x 3, 0 to 255) to a
        dict of float32 maps with G = S / 8: `heat` (N x G x G x 1, logits of face centres) and
        `box` (N x G x G x 3, channels as in `maps.make_target_maps`).

    Raises:
        UsageError: The package with the ImageNet weights is not installed.
        ModelError: The weights file is corrupt.
    """
    pixels, maps = _add_layers(name, size, FusedBatchNormalization)
    model = SplitBatchModel(pixels, maps, name="training")
    if pretrained and name == LITE0:
        efficientnet_lite.load_imagenet_weights(model, 0, _BLOCKS)
    return model


def make_inference_detector(trained: keras.Model, name: str) -> keras.Model:
    """Copies a trained detector into a model of Keras's own layers.

    Args:
        trained: A model built by `build_detector_network`.
        name: The name that it was built with.

    Returns:
        The inference model, which Keras can load without this package.
    """
    size = trained.input_shape[1]
    model = keras.Model(*_add_layers(name, size, layers.BatchNormalization), name="face_detector")
    copy_layers(model, trained)
    return model


def _add_layers(
    name: str, size: int, norm: efficientnet_lite.BatchNorm
) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    pixels = keras.Input((size, size, 3), name="pixels")
    features = _FEATURES[name](pixels, norm)
    bias = keras.initializers.Constant(_INITIAL_BIAS)
    return pixels, {
        HEAT: layers.Conv2D(1, 1, bias_initializer=bias, name=HEAT)(features),
        BOX: layers.Conv2D(3, 1, name=BOX)(features),
    }


def _build_lite0_features(
    pixels: keras.KerasTensor, norm: efficientnet_lite.BatchNorm
) -> keras.KerasTensor:
    def separable(
        x: keras.KerasTensor, kernel: int, name: str, stride: int = 1
    ) -> keras.KerasTensor:
        y = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_wide")(x)
        y = efficientnet_lite.add_batch_norm(y, f"{name}_wide", norm)
        y = layers.Conv2D(_CHANNELS, 1, use_bias=False, name=f"{name}_mix")(y)
        return efficientnet_lite.add_batch_norm(y, f"{name}_mix", norm)

    *_, fine = efficientnet_lite.build_trunk(pixels, 0, _BLOCKS, norm)
    coarse = separable(fine, 5, "coarse0", stride=2)
    for index in (1, 2):
        wider = separable(coarse, 5, f"coarse{index}")
        coarse = layers.Add(name=f"coarse{index}_add")([coarse, wider])
    up = layers.UpSampling2D(2, interpolation="nearest", name="up")(coarse)
    side = layers.Conv2D(_CHANNELS, 1, use_bias=False, name="side")(fine)
    side = efficientnet_lite.add_batch_norm(side, "side", norm)
    joined = layers.Add(name="join")([up, side])
    return separable(joined, 3, "last")


_FEATURES = {SMALL: build_small_features, LITE0: _build_lite0_features}

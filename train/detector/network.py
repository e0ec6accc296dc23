"""The face detector network: EfficientNet-Lite0 blocks, a coarse branch and two heads.

The first five blocks give features of stride 8. A branch of stride 16 with 5 x 5 convolutions
widens the receptive field for faces that fill the picture.
"""

from __future__ import annotations

import keras
from keras import layers

from image_gender_classifier.train.common import efficientnet_lite
from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization
from image_gender_classifier.train.common.split_batch import SplitBatchModel

HEAT, BOX = "heat", "box"
_BLOCKS = 5
_CHANNELS = 56
_RARE = -4.0  # initial bias of the heat logits; nearly all cells are empty


def build(pretrained: bool) -> keras.Model:
    """Builds the network for training.

    Args:
        pretrained: Load ImageNet weights.

    Returns:
        A functional model that maps RGB pixels (float32, N x S x S x 3, 0 to 255, S a multiple of
        16) to a dict of maps with G = S / 8: `heat` (N x G x G x 1, logits of face centres) and
        `box` (N x G x G x 3, channels as in `maps.of`).
    """
    pixels, maps = _layers(None, FusedBatchNormalization)
    model = SplitBatchModel(pixels, maps, name="training")
    if pretrained:
        efficientnet_lite.load_imagenet(model, 0, _BLOCKS)
    return model


def finished(trained: keras.Model, size: int) -> keras.Model:
    """Gives the inference model: fixed input side in pixels, only Keras's own layers."""
    model = keras.Model(*_layers(size, layers.BatchNormalization), name="face_detector")
    for layer in model.layers:
        layer.set_weights(trained.get_layer(layer.name).get_weights() if layer.weights else [])
    return model


def _layers(
    size: int | None, norm: efficientnet_lite.BatchNorm
) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    def separable(
        x: keras.KerasTensor, kernel: int, name: str, stride: int = 1
    ) -> keras.KerasTensor:
        y = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_wide")(x)
        y = efficientnet_lite.batch_norm(y, f"{name}_wide", norm)
        y = layers.Conv2D(_CHANNELS, 1, use_bias=False, name=f"{name}_mix")(y)
        return efficientnet_lite.batch_norm(y, f"{name}_mix", norm)

    pixels = keras.Input((size, size, 3), name="pixels")
    *_, fine = efficientnet_lite.trunk(pixels, 0, _BLOCKS, norm)
    coarse = separable(fine, 5, "coarse0", stride=2)
    for index in (1, 2):
        wider = separable(coarse, 5, f"coarse{index}")
        coarse = layers.Add(name=f"coarse{index}_add")([coarse, wider])
    up = layers.UpSampling2D(2, interpolation="nearest", name="up")(coarse)
    side = layers.Conv2D(_CHANNELS, 1, use_bias=False, name="side")(fine)
    side = efficientnet_lite.batch_norm(side, "side", norm)
    joined = layers.Add(name="join")([up, side])
    joined = separable(joined, 3, "last")
    rare = keras.initializers.Constant(_RARE)
    return pixels, {
        HEAT: layers.Conv2D(1, 1, bias_initializer=rare, name=HEAT)(joined),
        BOX: layers.Conv2D(3, 1, name=BOX)(joined),
    }

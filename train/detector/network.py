"""The finder's network: the first blocks of EfficientNet-Lite0, a wide look, and two heads.

The first five blocks end at an eighth of the input's side, which tells where a face is; a face
that fills the picture takes a wider look, so two convolutions of 5 x 5 at a sixteenth add theirs.
"""

from __future__ import annotations

import keras
from keras import layers

from image_gender_classifier.train.common import efficientnet_lite
from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization
from image_gender_classifier.train.common.split_batch import HalvingModel

HEAT, BOX = "heat", "box"
_BLOCKS = 5
_CHANNELS = 56
_RARE = -4.0  # where the heat's logits start: nearly all cells are empty


def build(pretrained: bool) -> keras.Model:
    """Builds the network for training.

    Args:
        pretrained: Load ImageNet weights.

    Returns:
        A functional model from N x S x S x 3 RGB pixels (0 to 255, float32), S a multiple of 16, to
        a dict of maps with S / 8 cells a side: `heat` (logits of a face's centre, one channel) and
        `box` (three channels, as `maps.of` has them).
    """
    pixels, maps = _lay(None, FusedBatchNormalization)
    model = HalvingModel(pixels, maps, name="training")
    if pretrained:
        efficientnet_lite.load_imagenet(model, 0, _BLOCKS)
    return model


def finished(trained: keras.Model, size: int) -> keras.Model:
    """Gives the model that ships, of Keras's own layers and one size alone."""
    model = keras.Model(*_lay(size, layers.BatchNormalization), name="face_finder")
    for layer in model.layers:
        layer.set_weights(trained.get_layer(layer.name).get_weights() if layer.weights else [])
    return model


def _lay(
    size: int | None, normalisation: efficientnet_lite.Normalisation
) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    def separable(
        x: keras.KerasTensor, kernel: int, name: str, stride: int = 1
    ) -> keras.KerasTensor:
        y = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_wide")(x)
        y = efficientnet_lite.normalised(y, f"{name}_wide", normalisation)
        y = layers.Conv2D(_CHANNELS, 1, use_bias=False, name=f"{name}_mix")(y)
        return efficientnet_lite.normalised(y, f"{name}_mix", normalisation)

    pixels = keras.Input((size, size, 3), name="pixels")
    *_, fine = efficientnet_lite.trunk(pixels, 0, _BLOCKS, normalisation)
    coarse = separable(fine, 5, "coarse0", stride=2)
    for index in (1, 2):
        wider = separable(coarse, 5, f"coarse{index}")
        coarse = layers.Add(name=f"coarse{index}_add")([coarse, wider])
    up = layers.UpSampling2D(2, interpolation="nearest", name="up")(coarse)
    side = layers.Conv2D(_CHANNELS, 1, use_bias=False, name="side")(fine)
    side = efficientnet_lite.normalised(side, "side", normalisation)
    joined = layers.Add(name="join")([up, side])
    joined = separable(joined, 3, "last")
    rare = keras.initializers.Constant(_RARE)
    return pixels, {
        HEAT: layers.Conv2D(1, 1, bias_initializer=rare, name=HEAT)(joined),
        BOX: layers.Conv2D(3, 1, name=BOX)(joined),
    }

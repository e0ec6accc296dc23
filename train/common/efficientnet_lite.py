"""EfficientNet-Lite's stem and blocks as Keras layers, and their ImageNet weights.

EfficientNet-Lite (Google, Apache-2.0; Tan and Le, "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", ICML 2019) uses ReLU6 and no squeeze-and-excite, so that int8
costs it nothing. Its first blocks already tell faces apart; the later ones hold most of its
parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import keras
from keras import layers

from image_gender_classifier.train.common.pretrained import efficientnet_lite
from image_gender_classifier.train.gender.recipe import BLOCKS

NORMALISATION = "normalisation"
FEATURES = "features"
IMAGENET_FEATURES = 1280
# The published weights expect (pixel - 127) / 128.
PIXEL_SCALE = 1 / 128
PIXEL_OFFSET = -127 / 128

Normalisation = type[layers.BatchNormalization]


@dataclass(frozen=True, slots=True)
class _Block:
    """One inverted residual block."""

    kernel: int
    stride: int
    expansion: int
    channels: int


# kernel, stride of the first, expansion, channels, repeats: table 1 of the paper.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_STEM_CHANNELS = 32
# By variant: factors of channels and of repeats. Lite leaves stem, first and last stage alone.
_WIDTHS = (1.0, 1.0, 1.1)
_DEPTHS = (1.0, 1.1, 1.2)
_EPSILON = 1e-3


def trunk(
    pixels: keras.KerasTensor, variant: int, blocks: int, normalisation: Normalisation
) -> list[keras.KerasTensor]:
    """Lays stem and first blocks over pixels (0 to 255).

    Args:
        pixels: N x S x S x 3, RGB.
        variant: Which EfficientNet-Lite, 0 to 2.
        blocks: How many of its blocks.
        normalisation: Which layer normalises batches.

    Returns:
        What comes out of each block.
    """
    x = layers.Rescaling(PIXEL_SCALE, PIXEL_OFFSET, name=NORMALISATION)(pixels)
    x = layers.Conv2D(_STEM_CHANNELS, 3, 2, "same", use_bias=False, name="stem")(x)
    x = normalised(x, "stem", normalisation)
    outputs = []
    for index, block in enumerate(_blocks(variant, blocks)):
        x = _inverted_residual(x, block, f"block{index}", normalisation)
        outputs.append(x)
    return outputs


def normalised(
    x: keras.KerasTensor, name: str, normalisation: Normalisation, activate: bool = True
) -> keras.KerasTensor:
    """Lays batch normalisation, and ReLU6 where wanted, behind a convolution of that name."""
    x = normalisation(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x


def load_imagenet(model: keras.Model, variant: int, blocks: int) -> None:
    """Copies the published weights into stem and blocks.

    A whole network's `features` convolution gets its weights too; all others stay as they are.
    """
    source = efficientnet_lite(variant)

    def load(layer: str, convolution: str, normalisation: str, depthwise: bool = False) -> None:
        kernel = source[f"{convolution}.weight"]
        axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        model.get_layer(layer).set_weights([kernel.transpose(axes)])
        parts = ("weight", "bias", "running_mean", "running_var")
        model.get_layer(f"{layer}_bn").set_weights(
            [source[f"{normalisation}.{part}"] for part in parts]
        )

    load("stem", "_conv_stem", "_bn0")
    for index in range(blocks):
        ours, theirs = f"block{index}", f"_blocks.{index}"
        if f"{theirs}._expand_conv.weight" in source:
            load(f"{ours}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        load(f"{ours}_depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1", depthwise=True)
        load(f"{ours}_project", f"{theirs}._project_conv", f"{theirs}._bn2")
    if blocks == BLOCKS[variant] and model.get_layer(FEATURES).filters == IMAGENET_FEATURES:
        load(FEATURES, "_conv_head", "_bn1")


def _inverted_residual(
    x: keras.KerasTensor, block: _Block, name: str, normalisation: Normalisation
) -> keras.KerasTensor:
    y, channels = x, x.shape[-1]
    if block.expansion > 1:
        wide = channels * block.expansion
        y = layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand")(y)
        y = normalised(y, f"{name}_expand", normalisation)
    y = layers.DepthwiseConv2D(
        block.kernel, block.stride, "same", use_bias=False, name=f"{name}_depthwise"
    )(y)
    y = normalised(y, f"{name}_depthwise", normalisation)
    y = layers.Conv2D(block.channels, 1, use_bias=False, name=f"{name}_project")(y)
    y = normalised(y, f"{name}_project", normalisation, activate=False)
    if block.stride == 1 and channels == block.channels:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _blocks(variant: int, count: int) -> Iterator[_Block]:
    width, depth = _WIDTHS[variant], _DEPTHS[variant]
    last = len(_STAGES) - 1
    every = [
        _Block(kernel, stride if repeat == 0 else 1, expansion, _scaled(channels, width))
        for stage, (kernel, stride, expansion, channels, repeats) in enumerate(_STAGES)
        for repeat in range(repeats if stage in (0, last) else math.ceil(repeats * depth))
    ]
    yield from every[:count]


def _scaled(channels: int, factor: float) -> int:
    """Rounds scaled channels to a multiple of 8 that is at most a tenth smaller."""
    scaled = channels * factor
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * scaled else rounded + 8

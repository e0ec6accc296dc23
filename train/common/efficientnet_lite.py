"""EfficientNet-Lite's stem and blocks as Keras layers, and their ImageNet weights.

EfficientNet-Lite (Google, Apache-2.0; Tan and Le, "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", ICML 2019) uses ReLU6 and no squeeze-and-excite, which makes it
robust to int8 quantisation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import keras
from keras import layers

from image_gender_classifier.train.common.pretrained import BLOCKS, read_imagenet_weights

RESCALING = "normalisation"  # the layer name in saved models
FEATURES = "features"
IMAGENET_FEATURES = 1280  # channels of the last convolution in the published networks
# The published weights expect (pixel - 127) / 128.
PIXEL_SCALE = 1 / 128
PIXEL_OFFSET = -127 / 128

BatchNorm = type[layers.BatchNormalization]


@dataclass(frozen=True, slots=True)
class _Block:
    """Parameters of an inverted residual block.

    Attributes:
        kernel: Side of the depthwise kernel.
        stride: Stride of the depthwise convolution.
        expansion: Ratio of expanded to input channels; 1 omits the expansion.
        channels: Number of output channels.
    """

    kernel: int
    stride: int
    expansion: int
    channels: int


# Table 1 of the paper: kernel, stride of the first block, expansion, channels, repeats.
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
# Multipliers of channels and of repeats, by variant. The stem keeps its channels; the first and
# the last stage keep their repeats.
_WIDTHS = (1.0, 1.0, 1.1)
_DEPTHS = (1.0, 1.1, 1.2)
_EPSILON = 1e-3


def build_trunk(
    pixels: keras.KerasTensor, variant: int, blocks: int, norm: BatchNorm
) -> list[keras.KerasTensor]:
    """Builds the stem and the first inverted residual blocks of an EfficientNet-Lite.

    Args:
        pixels: float32 RGB, N x S x S x 3, 0 to 255.
        variant: EfficientNet-Lite variant, 0 to 2.
        blocks: Number of blocks.
        norm: Class of the batch normalisation layers.

    Returns:
        The output tensor of each block, in order.
    """
    x = rescale(pixels)
    x = layers.Conv2D(_STEM_CHANNELS, 3, 2, "same", use_bias=False, name="stem")(x)
    x = add_batch_norm(x, "stem", norm)
    outputs = []
    for index, block in enumerate(_list_blocks(variant, blocks)):
        x = _add_inverted_residual(x, block, f"block{index}", norm)
        outputs.append(x)
    return outputs


def rescale(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Adds the layer that maps pixels from 0 to 255 to the range of the published weights."""
    return layers.Rescaling(PIXEL_SCALE, PIXEL_OFFSET, name=RESCALING)(pixels)


def add_batch_norm(
    x: keras.KerasTensor, name: str, norm: BatchNorm, activate: bool = True
) -> keras.KerasTensor:
    """Adds batch normalisation and optionally ReLU6.

    Args:
        x: Output of a convolution.
        name: Name of the convolution, which becomes the prefix of the layer names.
        norm: Class of the batch normalisation layer.
        activate: Whether to add ReLU6 after it.

    Returns:
        The output tensor.
    """
    x = norm(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x


def load_imagenet_weights(model: keras.Model, variant: int, blocks: int) -> None:
    """Copies the published ImageNet weights into the stem and the blocks of a model.

    Also sets the weights of the `features` convolution if the model has all blocks of the variant
    and this convolution has the published number of channels.

    Args:
        model: A model built with `build_trunk`.
        variant: EfficientNet-Lite variant, 0 to 2.
        blocks: Number of blocks of the model.

    Raises:
        UsageError: The package with the weights is not installed.
        ModelError: The weights file is corrupt.
    """
    source = read_imagenet_weights(variant)

    def load(layer: str, convolution: str, batch_norm: str, depthwise: bool = False) -> None:
        kernel = source[f"{convolution}.weight"]
        axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        model.get_layer(layer).set_weights([kernel.transpose(axes)])
        parts = ("weight", "bias", "running_mean", "running_var")
        model.get_layer(f"{layer}_bn").set_weights(
            [source[f"{batch_norm}.{part}"] for part in parts]
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


def _add_inverted_residual(
    x: keras.KerasTensor, block: _Block, name: str, norm: BatchNorm
) -> keras.KerasTensor:
    """Adds an inverted residual block (MobileNetV2) and returns its output tensor."""
    y, channels = x, x.shape[-1]
    if block.expansion > 1:
        wide = channels * block.expansion
        y = layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand")(y)
        y = add_batch_norm(y, f"{name}_expand", norm)
    y = layers.DepthwiseConv2D(
        block.kernel, block.stride, "same", use_bias=False, name=f"{name}_depthwise"
    )(y)
    y = add_batch_norm(y, f"{name}_depthwise", norm)
    y = layers.Conv2D(block.channels, 1, use_bias=False, name=f"{name}_project")(y)
    y = add_batch_norm(y, f"{name}_project", norm, activate=False)
    if block.stride == 1 and channels == block.channels:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _list_blocks(variant: int, count: int) -> Iterator[_Block]:
    """Yields the parameters of the first `count` blocks of a variant, or of all if it has fewer."""
    width, depth = _WIDTHS[variant], _DEPTHS[variant]
    last = len(_STAGES) - 1
    every = [
        _Block(kernel, stride if repeat == 0 else 1, expansion, _scale_channels(channels, width))
        for stage, (kernel, stride, expansion, channels, repeats) in enumerate(_STAGES)
        for repeat in range(repeats if stage in (0, last) else math.ceil(repeats * depth))
    ]
    yield from every[:count]


def _scale_channels(channels: int, factor: float) -> int:
    """Multiplies a number of channels by `factor` and rounds it to a multiple of 8.

    Rounds up if rounding down would remove more than 10%, as the published networks do.
    """
    scaled = channels * factor
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * scaled else rounded + 8

"""The small face detector network: depthwise separable convolutions and two heads.

One 6 x 6 convolution with stride 4 comes first, because layers of high resolution take most of the
time. Its kernel sees the pixels in horizontal pairs: the runtimes pad the channels of each place of
a kernel to 8, so 6 channels in half as many places cost half as much as 3. Features of stride 8
follow, a branch of stride 16 for faces that fill the picture, and heads of stride 8.
"""

from __future__ import annotations

import keras
from keras import layers

from image_gender_classifier.train.common import efficientnet_lite
from image_gender_classifier.train.common.efficientnet_lite import BatchNorm

PAIRS = "pairs"
"""Name of the layer that joins pairs of pixels."""

_STEM, _EARLY, _FINE, _COARSE = 24, 32, 64, 96  # channels
_FINE_BLOCKS, _COARSE_BLOCKS = 2, 2


def build_small_features(pixels: keras.KerasTensor, norm: BatchNorm) -> keras.KerasTensor:
    """Builds the layers from the pixels to the features of the heads.

    Args:
        pixels: float32 RGB, N x S x S x 3, 0 to 255; S is known and a multiple of 16.
        norm: Batch normalisation layer class.

    Returns:
        Features of stride 8.
    """
    x = build_fine_features(pixels, norm)
    coarse = add_block(x, _COARSE, 5, "coarse0", norm, stride=2)
    for index in range(1, _COARSE_BLOCKS + 1):
        coarse = add_block(coarse, _COARSE, 5, f"coarse{index}", norm)
    coarse = layers.Conv2D(_FINE, 1, use_bias=False, name="narrow")(coarse)
    coarse = efficientnet_lite.add_batch_norm(coarse, "narrow", norm)
    up = layers.UpSampling2D(2, interpolation="nearest", name="up")(coarse)
    joined = layers.Add(name="join")([up, x])
    return add_block(joined, _FINE, 3, "last", norm, residual=False)


def build_fine_features(pixels: keras.KerasTensor, norm: BatchNorm) -> keras.KerasTensor:
    """Builds the layers from the pixels to the features of stride 8, without the coarse branch.

    Args:
        pixels: float32 RGB, N x S x S x 3, 0 to 255; S is known and a multiple of 8.
        norm: Batch normalisation layer class.

    Returns:
        Features of stride 8, 64 channels.
    """
    size = pixels.shape[1]
    x = efficientnet_lite.rescale(pixels)
    x = layers.Reshape((size, size // 2, 6), name=PAIRS)(x)
    x = layers.Conv2D(_STEM, (6, 3), (4, 2), "same", use_bias=False, name="stem")(x)
    x = efficientnet_lite.add_batch_norm(x, "stem", norm)
    x = add_block(x, _STEM, 3, "early0", norm)
    x = add_block(x, _EARLY, 3, "early1", norm)
    x = add_block(x, _FINE, 5, "fine0", norm, stride=2)
    for index in range(1, _FINE_BLOCKS + 1):
        x = add_block(x, _FINE, 5, f"fine{index}", norm)
    return x


def add_block(
    x: keras.KerasTensor,
    channels: int,
    kernel: int,
    name: str,
    norm: BatchNorm,
    *,
    stride: int = 1,
    residual: bool = True,
) -> keras.KerasTensor:
    """Adds a depthwise and a 1 x 1 convolution, with a residual where the shapes are equal.

    Args:
        x: Features.
        channels: Number of channels of the result.
        kernel: Side of the depthwise convolution.
        name: Prefix of the layer names.
        norm: Batch normalisation layer class.
        stride: Stride of the depthwise convolution.
        residual: Whether to add `x` where the shapes are equal.

    Returns:
        The new features.
    """
    y = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_wide")(x)
    y = efficientnet_lite.add_batch_norm(y, f"{name}_wide", norm)
    y = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_mix")(y)
    y = efficientnet_lite.add_batch_norm(y, f"{name}_mix", norm)
    if residual and stride == 1 and x.shape[-1] == channels:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y

"""The classifier's network: the first blocks of EfficientNet-Lite0.

EfficientNet-Lite (Google, Apache-2.0; Tan and Le, "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", ICML 2019) uses ReLU6 and no squeeze-and-excite, so that int8
costs it nothing. Its first blocks already tell faces apart; the later ones hold most of its
parameters and are left away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras
from keras import layers

from image_gender_classifier.train.pretrained import efficientnet_lite0
from image_gender_classifier.train.recipe import Recipe

GENDER = "gender"
NORMALISATION = "normalisation"
DROPOUT = "dropout"
# The published weights expect (pixel - 127) / 128.
PIXEL_SCALE = 1 / 128
PIXEL_OFFSET = -127 / 128


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


def build(recipe: Recipe, group_sizes: Mapping[str, int]) -> keras.Model:
    """Builds the network with its training heads.

    Args:
        recipe: Sizes and whether ImageNet weights are loaded.
        group_sizes: Number of classes of each auxiliary head by its name.

    Returns:
        A functional model from N x S x S x 3 RGB pixels (0 to 255, float32) to a dict of logits:
        `gender` (N x 1, positive is female) and one of N x classes for each auxiliary head.
    """
    pixels = keras.Input((recipe.input_size, recipe.input_size, 3), name="pixels")
    x = layers.Rescaling(PIXEL_SCALE, PIXEL_OFFSET, name=NORMALISATION)(pixels)
    x = layers.Conv2D(_STEM_CHANNELS, 3, 2, "same", use_bias=False, name="stem")(x)
    x = _normalised(x, "stem")
    for index, block in enumerate(_blocks(recipe.blocks)):
        x = _inverted_residual(x, block, f"block{index}")
    x = layers.Conv2D(recipe.features, 1, use_bias=False, name="features")(x)
    x = _normalised(x, "features")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(recipe.dropout, seed=recipe.seed, name=DROPOUT)(x)
    heads = {GENDER: layers.Dense(1, name=GENDER)(x)}
    for name, size in group_sizes.items():
        heads[name] = layers.Dense(size, name=name)(x)
    model = keras.Model(pixels, heads, name="perceived_gender")
    if recipe.pretrained:
        _load_imagenet(model, recipe.blocks)
    return model


def without_group_heads(model: keras.Model) -> keras.Model:
    """The model that ships: pixels in, the gender logit (N x 1) out."""
    return keras.Model(model.input, model.get_layer(GENDER).output, name=model.name)


def _blocks(count: int) -> Iterator[_Block]:
    expanded = [
        _Block(kernel, stride if repeat == 0 else 1, expansion, channels)
        for kernel, stride, expansion, channels, repeats in _STAGES
        for repeat in range(repeats)
    ]
    yield from expanded[:count]


def _normalised(x: keras.KerasTensor, name: str, activate: bool = True) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x


def _inverted_residual(x: keras.KerasTensor, block: _Block, name: str) -> keras.KerasTensor:
    y, channels = x, x.shape[-1]
    if block.expansion > 1:
        y = layers.Conv2D(channels * block.expansion, 1, use_bias=False, name=f"{name}_expand")(y)
        y = _normalised(y, f"{name}_expand")
    y = layers.DepthwiseConv2D(
        block.kernel, block.stride, "same", use_bias=False, name=f"{name}_depthwise"
    )(y)
    y = _normalised(y, f"{name}_depthwise")
    y = layers.Conv2D(block.channels, 1, use_bias=False, name=f"{name}_project")(y)
    y = _normalised(y, f"{name}_project", activate=False)
    if block.stride == 1 and channels == block.channels:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _load_imagenet(model: keras.Model, blocks: int) -> None:
    """Copies the published weights into stem and blocks; the heads stay random."""
    source = efficientnet_lite0()

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

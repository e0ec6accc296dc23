"""The networks: the first blocks of an EfficientNet-Lite.

EfficientNet-Lite (Google, Apache-2.0; Tan and Le, "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", ICML 2019) uses ReLU6 and no squeeze-and-excite, so that int8
costs it nothing. Its first blocks already tell faces apart; the later ones hold most of its
parameters: a teacher has them, the network that ships does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras
from keras import layers

from image_gender_classifier.train.halves import HalvingModel
from image_gender_classifier.train.normalisation import FusedBatchNormalization
from image_gender_classifier.train.pretrained import efficientnet_lite
from image_gender_classifier.train.recipe import BLOCKS, Training

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
_IMAGENET_FEATURES = 1280
# By variant: factors of channels and of repeats. Lite leaves stem, first and last stage alone.
_WIDTHS = (1.0, 1.0, 1.1)
_DEPTHS = (1.0, 1.1, 1.2)
_EPSILON = 1e-3


def build(
    training: Training, group_sizes: Mapping[str, int], pretrained: bool, seed: int
) -> keras.Model:
    """Builds a network for training, with all its heads.

    Args:
        training: Variant, blocks, features and dropout.
        group_sizes: Number of classes of each auxiliary head by its name.
        pretrained: Load ImageNet weights.
        seed: Of the dropout.

    Returns:
        A functional model from N x S x S x 3 RGB pixels (0 to 255, float32) of any size to a dict
        of logits: `gender` (N x 1, positive is female) and one of N x classes for each auxiliary
        head.
    """
    pixels, pooled = _trunk(training, None, FusedBatchNormalization)
    pooled = layers.Dropout(training.dropout, seed=seed, name=DROPOUT)(pooled)
    heads = {GENDER: layers.Dense(1, name=GENDER)(pooled)}
    for name, size in group_sizes.items():
        heads[name] = layers.Dense(size, name=name)(pooled)
    model = HalvingModel(pixels, heads, name="training")
    if pretrained:
        _load_imagenet(model, training)
    return model


def finished(trained: keras.Model, training: Training) -> keras.Model:
    """Gives the model that ships: pixels of the size in use in, the gender logit (N x 1) out.

    It has Keras's own layers alone, so that Keras reads it without this package.

    Args:
        trained: A model made by `build`.
        training: What it was built by.
    """
    pixels, pooled = _trunk(training, training.size, layers.BatchNormalization)
    model = keras.Model(pixels, layers.Dense(1, name=GENDER)(pooled), name="perceived_gender")
    for layer in model.layers:
        layer.set_weights(trained.get_layer(layer.name).get_weights() if layer.weights else [])
    return model


def _trunk(
    training: Training, size: int | None, normalisation: type[layers.BatchNormalization]
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Lays the layers from the pixels to the pooled features."""

    def normalised(x: keras.KerasTensor, name: str, activate: bool = True) -> keras.KerasTensor:
        x = normalisation(epsilon=_EPSILON, name=f"{name}_bn")(x)
        return layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x

    def inverted_residual(x: keras.KerasTensor, block: _Block, name: str) -> keras.KerasTensor:
        y, channels = x, x.shape[-1]
        if block.expansion > 1:
            wide = channels * block.expansion
            y = layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand")(y)
            y = normalised(y, f"{name}_expand")
        y = layers.DepthwiseConv2D(
            block.kernel, block.stride, "same", use_bias=False, name=f"{name}_depthwise"
        )(y)
        y = normalised(y, f"{name}_depthwise")
        y = layers.Conv2D(block.channels, 1, use_bias=False, name=f"{name}_project")(y)
        y = normalised(y, f"{name}_project", activate=False)
        if block.stride == 1 and channels == block.channels:
            y = layers.Add(name=f"{name}_add")([x, y])
        return y

    pixels = keras.Input((size, size, 3), name="pixels")
    x = layers.Rescaling(PIXEL_SCALE, PIXEL_OFFSET, name=NORMALISATION)(pixels)
    x = layers.Conv2D(_STEM_CHANNELS, 3, 2, "same", use_bias=False, name="stem")(x)
    x = normalised(x, "stem")
    for index, block in enumerate(_blocks(training)):
        x = inverted_residual(x, block, f"block{index}")
    x = layers.Conv2D(training.features, 1, use_bias=False, name="features")(x)
    x = normalised(x, "features")
    return pixels, layers.GlobalAveragePooling2D(name="pool")(x)


def _blocks(training: Training) -> Iterator[_Block]:
    width, depth = _WIDTHS[training.lite], _DEPTHS[training.lite]
    last = len(_STAGES) - 1
    every = [
        _Block(kernel, stride if repeat == 0 else 1, expansion, _scaled(channels, width))
        for stage, (kernel, stride, expansion, channels, repeats) in enumerate(_STAGES)
        for repeat in range(repeats if stage in (0, last) else math.ceil(repeats * depth))
    ]
    yield from every[: training.blocks]


def _scaled(channels: int, factor: float) -> int:
    """Rounds scaled channels to a multiple of 8 that is at most a tenth smaller."""
    scaled = channels * factor
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * scaled else rounded + 8


def _load_imagenet(model: keras.Model, training: Training) -> None:
    """Copies the published weights into stem and blocks; the heads stay random."""
    source = efficientnet_lite(training.lite)

    def load(layer: str, convolution: str, normalisation: str, depthwise: bool = False) -> None:
        kernel = source[f"{convolution}.weight"]
        axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        model.get_layer(layer).set_weights([kernel.transpose(axes)])
        parts = ("weight", "bias", "running_mean", "running_var")
        model.get_layer(f"{layer}_bn").set_weights(
            [source[f"{normalisation}.{part}"] for part in parts]
        )

    load("stem", "_conv_stem", "_bn0")
    for index in range(training.blocks):
        ours, theirs = f"block{index}", f"_blocks.{index}"
        if f"{theirs}._expand_conv.weight" in source:
            load(f"{ours}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        load(f"{ours}_depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1", depthwise=True)
        load(f"{ours}_project", f"{theirs}._project_conv", f"{theirs}._bn2")
    if training.blocks == BLOCKS[training.lite] and training.features == _IMAGENET_FEATURES:
        load("features", "_conv_head", "_bn1")

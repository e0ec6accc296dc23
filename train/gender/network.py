"""The gender network: the first blocks of an EfficientNet-Lite, global pooling and heads.

The student leaves out the later blocks, which hold most of the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
from keras import layers

from image_gender_classifier.train.common import efficientnet_lite
from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization
from image_gender_classifier.train.common.split_batch import SplitBatchModel
from image_gender_classifier.train.gender.recipe import Training
from image_gender_classifier.train.gender.targets import GENDER

DROPOUT = "dropout"


def build(
    training: Training, group_sizes: Mapping[str, int], pretrained: bool, seed: int
) -> keras.Model:
    """Builds a network for training, with all its heads.

    Args:
        training: EfficientNet-Lite variant, blocks, features and dropout.
        group_sizes: Number of classes of each auxiliary head.
        pretrained: Load ImageNet weights.
        seed: Seed of the dropout.

    Returns:
        A functional model that maps RGB pixels (float32, N x S x S x 3, 0 to 255, any S) to a dict
        of logits: `gender` (N x 1, positive is female) and N x classes for each auxiliary head.
    """
    pixels, pooled = _trunk(training, None, FusedBatchNormalization)
    pooled = layers.Dropout(training.dropout, seed=seed, name=DROPOUT)(pooled)
    heads = {GENDER: layers.Dense(1, name=GENDER)(pooled)}
    for name, size in group_sizes.items():
        heads[name] = layers.Dense(size, name=name)(pooled)
    model = SplitBatchModel(pixels, heads, name="training")
    if pretrained:
        efficientnet_lite.load_imagenet(model, training.efficientnet_lite, training.blocks)
    return model


def finished(trained: keras.Model, training: Training) -> keras.Model:
    """Gives the inference model: fixed input size, gender logit (N x 1) only.

    It uses only Keras's own layers, so Keras can load it without this package.

    Args:
        trained: A model made by `build`.
        training: The arguments of that build.
    """
    pixels, pooled = _trunk(training, training.size, layers.BatchNormalization)
    model = keras.Model(pixels, layers.Dense(1, name=GENDER)(pooled), name="perceived_gender")
    for layer in model.layers:
        layer.set_weights(trained.get_layer(layer.name).get_weights() if layer.weights else [])
    return model


def _trunk(
    training: Training, size: int | None, norm: efficientnet_lite.BatchNorm
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Builds the layers from the pixels to the pooled features."""
    pixels = keras.Input((size, size, 3), name="pixels")
    *_, x = efficientnet_lite.trunk(pixels, training.efficientnet_lite, training.blocks, norm)
    x = layers.Conv2D(training.features, 1, use_bias=False, name=efficientnet_lite.FEATURES)(x)
    x = efficientnet_lite.batch_norm(x, efficientnet_lite.FEATURES, norm)
    return pixels, layers.GlobalAveragePooling2D(name="pool")(x)

"""The gender network: the first blocks of an EfficientNet-Lite, global pooling and heads.

The student omits the later blocks, which contain most of the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
from keras import layers

from image_gender_classifier.train.common import efficientnet_lite
from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization
from image_gender_classifier.train.common.heads import GENDER
from image_gender_classifier.train.common.split_batch import SplitBatchModel
from image_gender_classifier.train.common.start_weights import copy_layers
from image_gender_classifier.train.gender.recipe import NetworkRecipe

DROPOUT = "dropout"


def build_gender_network(
    training: NetworkRecipe, group_sizes: Mapping[str, int], pretrained: bool, seed: int
) -> keras.Model:
    """Builds a gender network for training, with all its heads.

    Args:
        training: EfficientNet-Lite variant, blocks, features and dropout.
        group_sizes: Number of classes of each auxiliary head, by name.
        pretrained: Whether to load ImageNet weights.
        seed: Seed of the dropout.

    Returns:
        A functional model that maps RGB pixels (float32, N x S x S x 3, 0 to 255, any S) to a dict
        of float32 logits: `gender` (N x 1, positive means female) and N x C for each auxiliary
        head.

    Raises:
        UsageError: The package with the ImageNet weights is not installed.
        ModelError: The weights file is corrupt.
    """
    pixels, pooled = _add_layers(training, None, FusedBatchNormalization)
    pooled = layers.Dropout(training.dropout, seed=seed, name=DROPOUT)(pooled)
    heads = {GENDER: layers.Dense(1, name=GENDER)(pooled)}
    for name, size in group_sizes.items():
        heads[name] = layers.Dense(size, name=name)(pooled)
    model = SplitBatchModel(pixels, heads, name="training")
    if pretrained:
        efficientnet_lite.load_imagenet_weights(model, training.efficientnet_lite, training.blocks)
    return model


def make_inference_classifier(trained: keras.Model, training: NetworkRecipe) -> keras.Model:
    """Copies a trained network into a model of Keras's own layers with a fixed input size.

    Args:
        trained: A model built by `build_gender_network`.
        training: The recipe that `trained` was built with.

    Returns:
        The inference model: maps pixels to the gender logit (N x 1) only. Keras can load it without
        this package.
    """
    pixels, pooled = _add_layers(training, training.size, layers.BatchNormalization)
    model = keras.Model(pixels, layers.Dense(1, name=GENDER)(pooled), name="perceived_gender")
    copy_layers(model, trained)
    return model


def _add_layers(
    training: NetworkRecipe, size: int | None, norm: efficientnet_lite.BatchNorm
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Creates the layers from pixels to pooled features; returns their input and output tensors.

    Args:
        training: EfficientNet-Lite variant, blocks and features.
        size: Side of the input in pixels; None for any size.
        norm: Class of the batch normalisation layers.
    """
    pixels = keras.Input((size, size, 3), name="pixels")
    *_, x = efficientnet_lite.build_trunk(pixels, training.efficientnet_lite, training.blocks, norm)
    x = layers.Conv2D(training.features, 1, use_bias=False, name=efficientnet_lite.FEATURES)(x)
    x = efficientnet_lite.add_batch_norm(x, efficientnet_lite.FEATURES, norm)
    return pixels, layers.GlobalAveragePooling2D(name="pool")(x)

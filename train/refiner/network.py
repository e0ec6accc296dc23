"""The face refiner network: the fine features of the small face detector at half its resolution.

A view shows one candidate, so one set of outputs replaces the maps of the detector: a depthwise
convolution over the whole feature map instead of pooling, as in MobileFaceNets (Chen et al., 2018).
It also replaces the detector's coarse branch, because it sees the whole view.
"""

from __future__ import annotations

import keras
from keras import layers

from image_gender_classifier.train.common import efficientnet_lite
from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization
from image_gender_classifier.train.common.split_batch import SplitBatchModel
from image_gender_classifier.train.common.start_weights import copy_layers
from image_gender_classifier.train.detector.small_network import add_block, build_fine_features

FACE, FRAME = "face", "frame"
HEAD = ("all", "all_bn", "hidden", "hidden_bn", FACE, FRAME)
"""Names of the layers with weights that a face detector lacks."""

_HIDDEN = 64  # channels
_DROPOUT = 0.1


def build_refiner_network(size: int, seed: int) -> keras.Model:
    """Builds the network for training.

    Args:
        size: Side of the input in pixels, a multiple of 16 (S).
        seed: Seed of dropout.

    Returns:
        A functional model that maps RGB pixels (float32, N x S x S x 3, 0 to 255) to a dict of
        float32 arrays: `face` (N x 1, logits) and `frame` (N x 3: distance of the face's centre
        from that of the candidate's frame, right and down, in sides of that frame, and natural
        logarithm of the side of the face's frame over the candidate's).
    """
    return SplitBatchModel(*_add_layers(size, FusedBatchNormalization, seed), name="training")


def make_inference_refiner(trained: keras.Model) -> keras.Model:
    """Copies a trained refiner into a model of Keras's own layers.

    Args:
        trained: A model built by `build_refiner_network`.

    Returns:
        The inference model, which Keras can load without this package.
    """
    size = trained.input_shape[1]
    model = keras.Model(*_add_layers(size, layers.BatchNormalization), name="face_refiner")
    copy_layers(model, trained)
    return model


def _add_layers(
    size: int, norm: efficientnet_lite.BatchNorm, seed: int | None = None
) -> tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]:
    pixels = keras.Input((size, size, 3), name="pixels")
    x = build_fine_features(pixels, norm)
    x = add_block(x, x.shape[-1], 3, "last", norm, residual=False)
    x = layers.DepthwiseConv2D(x.shape[1], use_bias=False, name="all")(x)
    x = efficientnet_lite.add_batch_norm(x, "all", norm)
    x = layers.Conv2D(_HIDDEN, 1, use_bias=False, name="hidden")(x)
    x = efficientnet_lite.add_batch_norm(x, "hidden", norm)
    if seed is not None:
        x = layers.Dropout(_DROPOUT, seed=seed)(x)
    outputs = {FACE: layers.Conv2D(1, 1, name=FACE)(x), FRAME: layers.Conv2D(3, 1, name=FRAME)(x)}
    return pixels, {
        name: layers.Flatten(name=f"{name}_flatten")(output) for name, output in outputs.items()
    }

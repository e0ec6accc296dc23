"""Makes a face detector accept inputs of any size in all formats.

Two layers bind a network to one size. The exported network takes pairs of pixels (see
`runtimes.pixel_groups`), and repeats values by concatenation and DEPTH_TO_SPACE instead of
`UpSampling2D`, which is exported with constant shapes.
"""

from __future__ import annotations

from typing import Any, cast

import keras
import tensorflow as tf
from keras import layers

from image_gender_classifier.train.detector.small_network import PAIRS


class PixelPairs(layers.Layer):  # type: ignore[misc]
    """Joins horizontal pairs of pixels: N x H x W x C to N x H x W/2 x 2C."""

    def call(self, pixels: Any) -> Any:
        """Returns the pairs."""
        count, height, width, channels = tf.unstack(tf.shape(pixels))
        pairs = tf.reshape(pixels, (count, height, width // 2, 2 * channels))
        return tf.ensure_shape(pairs, (*pixels.shape[:2], None, 2 * pixels.shape[3]))


class Doubling(layers.Layer):  # type: ignore[misc]
    """Repeats each value in two rows and two columns, as `UpSampling2D` does with `nearest`."""

    def call(self, values: Any) -> Any:
        """Returns a map of twice the height and width."""
        return tf.nn.depth_to_space(tf.concat([values] * 4, axis=-1), 2)


def make_resizable(model: keras.Model) -> keras.Model:
    """Returns a copy of a face detector whose input may have any height and width.

    Args:
        model: A network of `train.detector.network`.

    Returns:
        A network with the same outputs for inputs of the size of `model`. Heights and widths must
        be multiples of 16.
    """
    copy = keras.models.clone_model(
        model,
        input_tensors=keras.Input((None, None, model.input_shape[-1])),
        clone_function=_copy_layer,
    )
    copy.set_weights(model.get_weights())
    return copy


def _copy_layer(layer: layers.Layer) -> layers.Layer:
    if layer.name == PAIRS:
        return PixelPairs(name=PAIRS)
    if isinstance(layer, layers.UpSampling2D):
        return Doubling(name=layer.name)
    return cast(layers.Layer, layer.__class__.from_config(layer.get_config()))

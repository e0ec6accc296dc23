"""A Keras model that splits each batch in two and computes both parts in parallel.

By default, TensorFlow distributes every operation over all cores, and the threads synchronise
hundreds of times per step. Two parts with half of the cores each rarely synchronise: on two cores,
a step takes 20 to 25% less time. Each part has its own batch statistics.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import keras
import tensorflow as tf

from image_gender_classifier.system.cores import count_cores

SPLITS = 2


def configure_threads() -> None:
    """Configures TensorFlow's thread pools: half of the cores for each part of a batch.

    Has no effect after TensorFlow's first operation.
    """
    with suppress(RuntimeError):
        tf.config.threading.set_inter_op_parallelism_threads(SPLITS)
        tf.config.threading.set_intra_op_parallelism_threads(-(-count_cores() // SPLITS))


@keras.saving.register_keras_serializable("image_gender_classifier")
class SplitBatchModel(keras.Model):  # type: ignore[misc]
    """A functional Keras model that splits each batch in two when training and predicting.

    Evaluation (`test_step`) does not split batches.
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        """Trains on one batch; the gradient is the mean over the samples of both parts.

        Args:
            data: Pixels, targets and optionally sample weights, as in `keras.Model.train_step`.

        Returns:
            The current value of each metric by name, including "loss".
        """
        parts = _split_batch(keras.utils.unpack_x_y_sample_weight(data))
        sizes = [tf.cast(tf.shape(pixels)[0], tf.float32) for pixels, _, _ in parts]
        (loss_metric,) = (metric for metric in self.metrics if metric.name == "loss")
        gradients = []
        metrics: dict[str, Any] = {}
        for (pixels, targets, weights), size in zip(parts, sizes, strict=True):
            with tf.GradientTape() as tape:
                outputs = self(pixels, training=True)
                loss = self.compute_loss(pixels, targets, outputs, weights)
                weighted_loss = loss * size / tf.add_n(sizes)
            gradients.append(tape.gradient(weighted_loss, self.trainable_variables))
            loss_metric.update_state(loss, sample_weight=size)
            metrics = self.compute_metrics(pixels, targets, outputs, weights)
        sums = [tf.add_n(group) for group in zip(*gradients, strict=True)]
        self.optimizer.apply(sums, self.trainable_variables)
        return metrics

    def predict_step(self, data: Any) -> Any:
        """Returns the model's outputs for a batch, in the order of its samples.

        Args:
            data: Pixels, optionally with targets and sample weights, which are ignored.
        """
        pixels, *_ = keras.utils.unpack_x_y_sample_weight(data)
        outputs = [self(part, training=False) for part in _split_batch(pixels)]
        count = tf.shape(pixels)[0]
        return keras.tree.map_structure(lambda *parts: tf.concat(parts, 0)[:count], *outputs)


def _split_batch(batch: Any) -> list[Any]:
    """Splits a batch in the middle; if it has only one sample, both parts contain that sample.

    Args:
        batch: An array, or a nested structure of arrays and None, with samples on the first axis.

    Returns:
        Two batches with the structure of `batch`.
    """
    count = tf.shape(keras.tree.flatten(batch)[0])[0]
    end, start = tf.maximum(count // SPLITS, 1), tf.minimum(count // SPLITS, count - 1)

    def part(rows: slice) -> Any:
        # Sample weights can be None.
        return keras.tree.map_structure(
            lambda values: None if values is None else values[rows], batch
        )

    return [part(slice(None, end)), part(slice(start, None))]

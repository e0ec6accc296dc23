"""A model that splits each batch and computes both parts at the same time.

On CPUs, TensorFlow distributes every operation over its threads, which then wait for each other
hundreds of times per step. Two parts with one thread each hardly wait: on two cores a step takes a
fifth to a quarter less time. Each part has its own batch statistics.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import keras
import tensorflow as tf

from image_gender_classifier.system.cores import cores

SPLITS = 2


def use_cores() -> None:
    """Divides the cores between the parts; has no effect once TensorFlow has started computing."""
    with suppress(RuntimeError):
        tf.config.threading.set_inter_op_parallelism_threads(SPLITS)
        tf.config.threading.set_intra_op_parallelism_threads(-(-cores() // SPLITS))


@keras.saving.register_keras_serializable("image_gender_classifier")
class SplitBatchModel(keras.Model):  # type: ignore[misc]
    """A functional model whose training and prediction steps split their batch."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Trains on a batch; the gradient is the mean over all of its samples."""
        parts = _split(keras.utils.unpack_x_y_sample_weight(data))
        sizes = [tf.cast(tf.shape(pixels)[0], tf.float32) for pixels, _, _ in parts]
        (loss_metric,) = (metric for metric in self.metrics if metric.name == "loss")
        gradients = []
        metrics: dict[str, Any] = {}
        for (pixels, wanted, weights), size in zip(parts, sizes, strict=True):
            with tf.GradientTape() as tape:
                answers = self(pixels, training=True)
                loss = self.compute_loss(pixels, wanted, answers, weights)
                share = loss * size / tf.add_n(sizes)
            gradients.append(tape.gradient(share, self.trainable_variables))
            loss_metric.update_state(loss, sample_weight=size)
            metrics = self.compute_metrics(pixels, wanted, answers, weights)
        sums = [tf.add_n(group) for group in zip(*gradients, strict=True)]
        self.optimizer.apply(sums, self.trainable_variables)
        return metrics

    def predict_step(self, data: Any) -> Any:
        """Predicts a batch."""
        pixels, *_ = keras.utils.unpack_x_y_sample_weight(data)
        answers = [self(part, training=False) for part in _split(pixels)]
        count = tf.shape(pixels)[0]
        return keras.tree.map_structure(lambda *outputs: tf.concat(outputs, 0)[:count], *answers)


def _split(batch: Any) -> list[Any]:
    """Splits each array of a batch in the middle; a single sample becomes both parts."""
    count = tf.shape(keras.tree.flatten(batch)[0])[0]
    end, start = tf.maximum(count // SPLITS, 1), tf.minimum(count // SPLITS, count - 1)

    def part(places: slice) -> Any:
        # Sample weights can be None.
        return keras.tree.map_structure(
            lambda values: None if values is None else values[places], batch
        )

    return [part(slice(None, end)), part(slice(start, None))]

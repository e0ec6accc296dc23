"""A model that works on both halves of each batch at the same time.

On processors TensorFlow divides every operation among its threads, which wait for one another some
hundred times a step. Two halves of a batch with a thread each hardly wait: on two cores a step
takes a fifth to a quarter less time. Each half has batch statistics of its own.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import keras
import tensorflow as tf

from image_gender_classifier.system.cores import cores

SPLITS = 2


def use_cores() -> None:
    """Gives each half its share of the cores, unless TensorFlow has computed something already."""
    with suppress(RuntimeError):
        tf.config.threading.set_inter_op_parallelism_threads(SPLITS)
        tf.config.threading.set_intra_op_parallelism_threads(-(-cores() // SPLITS))


@keras.saving.register_keras_serializable("image_gender_classifier")
class HalvingModel(keras.Model):  # type: ignore[misc]
    """A functional model whose training and prediction steps split their batch."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Learns from a batch; its gradient is the mean over all of its samples."""
        halves = _halves(keras.utils.unpack_x_y_sample_weight(data))
        sizes = [tf.cast(tf.shape(pixels)[0], tf.float32) for pixels, _, _ in halves]
        (loss_metric,) = (metric for metric in self.metrics if metric.name == "loss")
        gradients = []
        metrics: dict[str, Any] = {}
        for (pixels, wanted, weights), size in zip(halves, sizes, strict=True):
            with tf.GradientTape() as tape:
                answers = self(pixels, training=True)
                loss = self.compute_loss(pixels, wanted, answers, weights)
                share = loss * size / tf.add_n(sizes)
            gradients.append(tape.gradient(share, self.trainable_variables))
            loss_metric.update_state(loss, sample_weight=size)
            metrics = self.compute_metrics(pixels, wanted, answers, weights)
        sums = [tf.add_n(parts) for parts in zip(*gradients, strict=True)]
        self.optimizer.apply(sums, self.trainable_variables)
        return metrics

    def predict_step(self, data: Any) -> Any:
        """Answers for a batch."""
        pixels, *_ = keras.utils.unpack_x_y_sample_weight(data)
        answers = [self(half, training=False) for half in _halves(pixels)]
        count = tf.shape(pixels)[0]
        return keras.tree.map_structure(lambda *parts: tf.concat(parts, 0)[:count], *answers)


def _halves(batch: Any) -> list[Any]:
    """Splits each array of a batch at the middle; a single sample is both halves."""
    count = tf.shape(keras.tree.flatten(batch)[0])[0]
    end, start = tf.maximum(count // SPLITS, 1), tf.minimum(count // SPLITS, count - 1)

    def part(places: slice) -> Any:
        # Weights may be left out.
        return keras.tree.map_structure(
            lambda values: None if values is None else values[places], batch
        )

    return [part(slice(None, end)), part(slice(start, None))]

"""Training losses of the face detector: focal loss for heatmaps, smooth L1 loss for boxes.

Checkpoints refer to the functions by name, so renaming them prevents resuming a run.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from image_gender_classifier.detection.heatmap import STRIDE

_BOX_WEIGHT = 4.0
_SMOOTH_BELOW = 0.02  # smaller relative errors are penalised quadratically


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def heat(targets: Any, logits: Any) -> Any:
    """Computes the focal loss of heatmaps, as in CenterNet ("Objects as Points", 2019).

    Reduces the penalty for cells close to a centre and for cells that are almost correct. Targets
    with a teacher's answers add the distance from these: the cross entropy, less where the
    probabilities are close, as in Li et al., "Generalized Focal Loss" (2020).

    Args:
        targets: Target heatmap, float32, N x G x G x 1, 0 to 1; or N x G x G x 3 with the
            teacher's answers of `teacher.add_answers`.
        logits: Predicted logits, float32, N x G x G x 1.

    Returns:
        The loss of each scene, float32, N.
    """
    true = targets[..., :1]
    probability = ops.sigmoid(logits)
    log_face, log_empty = ops.log_sigmoid(logits), ops.log_sigmoid(-logits)
    centre = ops.cast(true == 1, logits.dtype)
    positive = centre * (1 - probability) ** 2 * log_face
    negative = (1 - centre) * (1 - true) ** 4 * probability**2 * log_empty
    gain = positive + negative
    if targets.shape[-1] > 1:
        taught, weight = targets[..., 1:2], targets[..., 2:]
        entropy = taught * log_face + (1 - taught) * log_empty
        gain += weight * (taught - probability) ** 2 * entropy
    centres = ops.maximum(ops.sum(centre, axis=(1, 2, 3)), 1)
    return -ops.sum(gain, axis=(1, 2, 3)) / centres


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def box(targets: Any, predicted: Any) -> Any:
    """Computes the smooth L1 loss of bounding boxes; errors are relative to the boxes' sides.

    Args:
        targets: Target boxes and weights of `maps.make_target_maps`, float32, N x G x G x 4.
        predicted: Predicted boxes, float32, N x G x G x 3.

    Returns:
        The loss of each scene, float32, N.
    """
    weight = targets[..., 3]
    size = ops.shape(predicted)[1] * STRIDE
    cell = STRIDE / (ops.exp(targets[..., 2]) * size)  # side of a cell over the side of the box
    errors = ops.abs(predicted - targets[..., :3])
    relative = ops.stack([errors[..., 0] * cell, errors[..., 1] * cell, errors[..., 2]], axis=-1)
    smooth = ops.where(
        relative < _SMOOTH_BELOW,
        relative**2 / (2 * _SMOOTH_BELOW),
        relative - _SMOOTH_BELOW / 2,
    )
    total = ops.sum(ops.sum(smooth, axis=-1) * weight, axis=(1, 2))
    return _BOX_WEIGHT * total / ops.maximum(ops.sum(weight, axis=(1, 2)), 1)

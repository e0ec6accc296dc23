"""Losses of the face detector, one number per scene."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from image_gender_classifier.detection.heatmap import STRIDE

_BOX_WEIGHT = 4.0
_SHARP = 0.02  # relative errors below this count quadratically


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def heat(wanted: Any, logits: Any) -> Any:
    """Computes the focal loss of heat maps, as in "Objects as Points" (2019).

    Cells near a centre are penalised less, and so are cells that are almost correct.

    Args:
        wanted: Target heat, float32, N x G x G x 1, 0 to 1.
        logits: Predicted logits, N x G x G x 1.

    Returns:
        The loss of each scene (N).
    """
    probability = ops.sigmoid(logits)
    certain = ops.log_sigmoid(logits), ops.log_sigmoid(-logits)
    centre = ops.cast(wanted == 1, logits.dtype)
    missed = centre * (1 - probability) ** 2 * certain[0]
    false = (1 - centre) * (1 - wanted) ** 4 * probability**2 * certain[1]
    centres = ops.maximum(ops.sum(centre, axis=(1, 2, 3)), 1)
    return -ops.sum(missed + false, axis=(1, 2, 3)) / centres


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def box(wanted: Any, predicted: Any) -> Any:
    """Computes the smooth L1 loss of frames, relative to their sides.

    Args:
        wanted: Target boxes and weights as in `maps.of`, N x G x G x 4.
        predicted: Predicted boxes, N x G x G x 3.

    Returns:
        The loss of each scene (N).
    """
    weight = wanted[..., 3]
    size = ops.shape(predicted)[1] * STRIDE
    cell = STRIDE / (ops.exp(wanted[..., 2]) * size)  # as a share of the frame's side
    errors = ops.abs(predicted - wanted[..., :3])
    relative = ops.stack([errors[..., 0] * cell, errors[..., 1] * cell, errors[..., 2]], axis=-1)
    smooth = ops.where(relative < _SHARP, relative**2 / (2 * _SHARP), relative - _SHARP / 2)
    total = ops.sum(ops.sum(smooth, axis=-1) * weight, axis=(1, 2))
    return _BOX_WEIGHT * total / ops.maximum(ops.sum(weight, axis=(1, 2)), 1)

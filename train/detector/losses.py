"""The finder's losses, a number a scene."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from image_gender_classifier.detection.heatmap import STRIDE

_BOX_WEIGHT = 4.0
_SHARP = 0.02  # below this a relative error counts by its square


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def heat(wanted: Any, logits: Any) -> Any:
    """Scores heat maps (N x G x G x 1): the focal loss of "Objects as Points".

    A cell beside a centre is blamed the less the nearer it is; one that is right already counts
    little, because nearly all cells are empty.
    """
    said = ops.sigmoid(logits)
    certain = ops.log_sigmoid(logits), ops.log_sigmoid(-logits)
    centre = ops.cast(wanted == 1, logits.dtype)
    missed = centre * (1 - said) ** 2 * certain[0]
    false = (1 - centre) * (1 - wanted) ** 4 * said**2 * certain[1]
    centres = ops.maximum(ops.sum(centre, axis=(1, 2, 3)), 1)
    return -ops.sum(missed + false, axis=(1, 2, 3)) / centres


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def box(wanted: Any, reported: Any) -> Any:
    """Scores frames (N x G x G x 3 told, 4 wanted with the weights) by errors relative to sides."""
    weight = wanted[..., 3]
    size = ops.shape(reported)[1] * STRIDE
    cell = STRIDE / (ops.exp(wanted[..., 2]) * size)  # against the frame's side
    errors = ops.abs(reported - wanted[..., :3])
    relative = ops.stack([errors[..., 0] * cell, errors[..., 1] * cell, errors[..., 2]], axis=-1)
    smooth = ops.where(relative < _SHARP, relative**2 / (2 * _SHARP), relative - _SHARP / 2)
    total = ops.sum(ops.sum(smooth, axis=-1) * weight, axis=(1, 2))
    return _BOX_WEIGHT * total / ops.maximum(ops.sum(weight, axis=(1, 2)), 1)

"""Training losses of the face refiner: weighted cross entropy, and smooth L1 loss for frames.

Checkpoints refer to the functions by name, so renaming them prevents resuming a run.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

_FACE_WEIGHT, _FRAME_WEIGHT = 4.0, 4.0
_EASY = 0.25  # weight of a candidate whose probability is right, relative to one that is wrong
_SMOOTH_BELOW = 0.02  # smaller errors are penalised quadratically


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def face(targets: Any, logits: Any) -> Any:
    """Computes the cross entropy; candidates with a wrong probability count more.

    The weight follows Li et al., "Generalized Focal Loss" (2020), for targets between 0 and 1.

    Args:
        targets: Probability of a face and weight, float32, N x 2.
        logits: Predicted logits, float32, N x 1.

    Returns:
        The loss of each candidate, float32, N.
    """
    true, known, logit = targets[:, 0], targets[:, 1], logits[:, 0]
    entropy = -true * ops.log_sigmoid(logit) - (1 - true) * ops.log_sigmoid(-logit)
    wrong = ops.abs(true - ops.sigmoid(logit))
    return _FACE_WEIGHT * known * (_EASY + (1 - _EASY) * wrong) * entropy


@keras.saving.register_keras_serializable("image_gender_classifier")  # type: ignore[untyped-decorator]
def frame(targets: Any, predicted: Any) -> Any:
    """Computes the smooth L1 loss of frames.

    Args:
        targets: The three numbers of `Label` and their weight, float32, N x 4.
        predicted: The three predicted numbers, float32, N x 3.

    Returns:
        The loss of each candidate, float32, N; 0 without a known frame. Their mean is the sum of
        the losses of known frames divided by the number of these and 1, so a batch may have none.
    """
    weight = targets[:, 3]
    errors = ops.abs(predicted - targets[:, :3])
    smooth = ops.where(
        errors < _SMOOTH_BELOW, errors**2 / (2 * _SMOOTH_BELOW), errors - _SMOOTH_BELOW / 2
    )
    count = ops.cast(ops.shape(weight)[0], weight.dtype)
    share = count / (ops.sum(weight) + 1)
    return _FRAME_WEIGHT * share * weight * ops.sum(smooth, axis=-1)

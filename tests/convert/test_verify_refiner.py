"""A face refiner's scores count labelled candidates, and the frames of faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fixed_networks import FixedNetwork

from image_gender_classifier import manifest
from image_gender_classifier.convert.verify_refiner import RefinementScore, score_refiner
from image_gender_classifier.errors import ModelError
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.refiner.labels import Label

SIZE = 64


def refiner(logits: Sequence[float], *frames: Sequence[float]) -> FixedNetwork:
    return FixedNetwork(SIZE, frames, np.reshape(logits, (-1, 1)))


def score(model: FixedNetwork, *labels: Label) -> RefinementScore:
    return score_refiner(model, np.zeros((len(labels), SIZE, SIZE, 3), np.uint8), labels)


def test_scores_count_labelled_candidates_and_the_frames_of_faces() -> None:
    """A logit of 0 is a face; what has no label counts neither as right nor as wrong."""
    face, other = Label(True, 0.1, -0.2, 0.3, has_frame=True), Label(is_face=False)
    unclear = Label(None, 0.1, 0.1, 0.1, has_frame=True)
    near, far = (0.1, -0.2, 0.6), (9.0, 9.0, 9.0)
    model = refiner([0.0, -0.1, 2.0, -3.0, 5.0], near, (0.4, -0.2, 0.3), far, far, far)
    found = score(model, face, face, other, other, unclear)
    assert (found.accuracy, found.error) == pytest.approx((0.5, 0.1))
    assert str(found) == "accuracy 50.00 %, mean frame error 10.00 %"


def test_without_labels_or_faces_the_error_is_zero() -> None:
    unclear, far = Label(None, 0.1, has_frame=True), (9.0, 9.0, 9.0)
    assert score(refiner([3.0], far), unclear) == RefinementScore(1.0, 0.0)
    assert score(refiner([3.0], far), Label(is_face=False)) == RefinementScore(0.0, 0.0)


def test_outputs_of_another_network_are_refused() -> None:
    models = manifest.load(shipped_models())
    for entry in (
        models.models["gender_int8.tflite"],
        models.face_detectors["face_detector_int8.tflite"],
    ):
        runtime = open_model("tflite", manifest.read_verified(models.folder, entry))
        views = np.zeros((2, *runtime.input_shape), np.uint8)
        with pytest.raises(ModelError, match="not those of a face refiner"):
            score_refiner(runtime, views, [Label(True)] * 2)

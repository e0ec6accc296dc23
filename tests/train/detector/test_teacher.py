"""A teacher's answers count near the faces that it sees, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from image_gender_classifier.errors import ModelError, RuntimeMissing
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector import maps, teacher
from image_gender_classifier.train.detector.teacher import add_answers, open_teacher

FACE = Box(40, 40, 48, 48)


def answer(logit: float, weight: float = 0.5) -> tuple[np.ndarray, ...]:
    """True maps of one face, and those with a teacher that says the same logit everywhere."""
    heat, boxes = (part[np.newaxis] for part in maps.make_target_maps([FACE], 128))
    logits = np.full(heat.shape[:3], logit, np.float32)
    predicted = boxes[..., :3] + 1
    return heat, boxes, *add_answers(heat, boxes, logits, predicted, weight)


def test_true_heat_maps_are_kept() -> None:
    heat, _, taught, _ = answer(2.0)
    assert taught.shape == (1, 16, 16, 3)
    assert np.array_equal(taught[..., :1], heat)
    assert taught[..., 1] == pytest.approx(1 / (1 + np.exp(-2)))


def test_the_teacher_has_weight_near_faces_only() -> None:
    heat, _, taught, _ = answer(2.0)
    near = heat[..., 0] >= 0.1
    assert (taught[..., 2][near] == 0.5).all()
    assert (taught[..., 2][~near] == 0).all()


def test_boxes_are_means_of_true_and_predicted_ones() -> None:
    _, boxes, _, mixed = answer(2.0)
    counted = boxes[..., 3] > 0
    assert mixed[counted][:, :3] == pytest.approx(boxes[counted][:, :3] + 0.5)
    assert np.array_equal(mixed[~counted], boxes[~counted])
    assert np.array_equal(mixed[..., 3], boxes[..., 3])


def test_faces_that_the_teacher_misses_keep_the_true_maps() -> None:
    heat, boxes, taught, mixed = answer(-4.0)
    assert (taught[..., 2] == 0).all()
    assert np.array_equal(mixed, boxes)
    assert np.array_equal(taught[..., :1], heat)


def test_the_shipped_detector_finds_no_face_in_plain_pixels() -> None:
    run, key = open_teacher(shipped_models(), 128)
    heat, boxes = run(np.full((2, 128, 128, 3), 127, np.uint8))
    assert heat.shape == (2, 16, 16)
    assert boxes.shape == (2, 16, 16, 3)
    assert heat.max() < 0
    assert len(key) == 64


def test_a_teacher_with_another_input_size_is_refused() -> None:
    with pytest.raises(ModelError, match="64 x 64"):
        open_teacher(shipped_models(), 64)


def test_without_a_runtime_the_reasons_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(runtime: str, *_: object) -> NoReturn:
        raise RuntimeMissing(f"{runtime} is broken")

    monkeypatch.setattr(teacher, "open_network", fail)
    with pytest.raises(RuntimeMissing, match="tflite is broken; onnx is broken"):
        open_teacher(shipped_models(), 128)


def test_a_folder_without_models_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        open_teacher(tmp_path, 128)

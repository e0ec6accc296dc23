"""The face output: it learns, and the gender output stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.face_output.candidates import CandidateSet
from image_gender_classifier.train.face_output.network import add_face_output


@pytest.fixture(scope="module")
def candidates() -> CandidateSet:
    """Crops with a bright middle are faces; the face detector knows nothing."""
    random = np.random.default_rng(3)
    crops = random.integers(0, 120, (200, 96, 96, 3), np.uint8)
    is_face = random.random(200) < 0.5
    crops[is_face, 24:72, 24:72] += 120
    return CandidateSet(crops, np.zeros(200, np.float32), is_face)


def test_the_face_output_learns_and_the_other_outputs_are_kept(
    shipped_keras: Path, candidates: CandidateSet, tmp_path: Path
) -> None:
    before = keras.models.load_model(shipped_keras, compile=False)
    made = add_face_output(before, candidates, seed=1, steps=25)
    made.save(tmp_path / "gender.keras")
    model = keras.models.load_model(tmp_path / "gender.keras", compile=False)
    crops = candidates.crops[:64].astype(np.float32)
    gender, both, frames = model.predict_on_batch(crops)
    gender_before, _, frames_before = before.predict_on_batch(crops)
    assert np.array_equal(gender, gender_before)
    assert np.array_equal(frames, frames_before)
    assert both.shape == (64, 2)
    right = (both[:, 1] > both[:, 0]) == candidates.is_face[:64]
    assert right.mean() > 0.9


def test_a_keras_model_of_another_program_is_refused(candidates: CandidateSet) -> None:
    pixels = keras.Input((96, 96, 3))
    model = keras.Model(pixels, keras.layers.Dense(1)(keras.layers.Flatten()(pixels)))
    with pytest.raises(ModelError, match="no feature map"):
        add_face_output(model, candidates, seed=1, steps=1)

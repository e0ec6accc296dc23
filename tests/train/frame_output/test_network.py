"""The frame output: it learns, and the other outputs stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.common.feature_maps import find_feature_map
from image_gender_classifier.train.frame_output.network import UNITS, add_frame_output
from image_gender_classifier.train.frame_output.views import FrameViews


@pytest.fixture(scope="module")
def views() -> FrameViews:
    """A bright square that is not in the middle; its place is the correction."""
    random = np.random.default_rng(3)
    crops = random.integers(0, 60, (400, 96, 96, 3), np.uint8)
    places = random.integers(8, 40, (400, 2))
    for crop, (left, top) in zip(crops, places, strict=True):
        crop[top : top + 48, left : left + 48] += 150
    shifts = (places - 24) / 16 * np.array(UNITS[:2])
    return FrameViews(crops, np.column_stack([shifts, np.zeros(400)]).astype(np.float32))


def test_the_frame_output_learns_and_the_others_are_kept(
    shipped_keras: Path, views: FrameViews, tmp_path: Path
) -> None:
    shipped = keras.models.load_model(shipped_keras, compile=False)
    before = keras.Model(shipped.input, shipped.outputs[:2])
    made = add_frame_output(before, views, seed=1, steps=120)
    made.save(tmp_path / "gender.keras")
    model = keras.models.load_model(tmp_path / "gender.keras", compile=False)
    crops = views.crops[:64].astype(np.float32)
    *others, frames = model.predict_on_batch(crops)
    for output, expected in zip(others, before.predict_on_batch(crops), strict=True):
        assert np.array_equal(output, expected)
    assert frames.shape == (64, 3)
    error = np.abs(frames[:, :2] * UNITS[:2] - views.corrections[:64, :2])
    known = np.abs(views.corrections[:64, :2])
    assert error.mean() < 0.5 * known.mean()


def test_a_keras_model_of_another_program_is_refused(views: FrameViews) -> None:
    pixels = keras.Input((96, 96, 3))
    model = keras.Model(pixels, keras.layers.Dense(1)(keras.layers.Flatten()(pixels)))
    with pytest.raises(ModelError, match="no feature map"):
        add_frame_output(model, views, seed=1, steps=1)
    with pytest.raises(ModelError, match="no feature map"):
        find_feature_map(model, "features")

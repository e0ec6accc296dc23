"""A gender network with a face output and a frame output in all formats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from exports import run_by_channels

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

from image_gender_classifier.convert import float32, onnx, tflite
from image_gender_classifier.convert.output_equality import (
    are_outputs_equal,
    compute_fraction_differing,
)
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.common.keras_runtime import KerasRuntime
from image_gender_classifier.train.face_output.candidates import CandidateSet
from image_gender_classifier.train.face_output.network import add_face_output
from image_gender_classifier.train.frame_output.network import add_frame_output
from image_gender_classifier.train.frame_output.views import FrameViews
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops


@pytest.fixture(scope="module")
def with_outputs(exported: Any, drawn_crops: LabelledCrops) -> KerasRuntime:
    """The drawn model, whose new outputs learnt to tell its female from its male faces."""
    count = len(drawn_crops.crops)
    found = CandidateSet(drawn_crops.crops, np.zeros(count, np.float32), drawn_crops.female)
    model = add_face_output(exported.keras.model, found, seed=1, steps=10)
    shifts = np.repeat(np.where(drawn_crops.female, 0.05, -0.05)[:, np.newaxis], 3, axis=1)
    views = FrameViews(drawn_crops.crops, shifts.astype(np.float32))
    return KerasRuntime(add_frame_output(model, views, seed=1, steps=10))


def test_all_formats_give_equal_added_outputs_and_keep_the_gender_logits(
    exported: Any, with_outputs: KerasRuntime, drawn_crops: LabelledCrops
) -> None:
    crops = drawn_crops.crops[::4]
    tflite_file = tflite.quantise(with_outputs.model, exported.calibration)
    model = open_model("tflite", tflite_file)
    assert np.array_equal(run_by_channels(model, crops)[1], exported.tflite.run(crops)[0])
    for channels in (2, 3):
        of_keras = run_by_channels(with_outputs, crops)[channels]
        assert of_keras.std() > 0
        assert run_by_channels(model, crops)[channels] == pytest.approx(
            of_keras, abs=0.3 * float(np.ptp(of_keras))
        )
    onnx_model = open_model("onnx", onnx.convert_tflite_to_onnx(tflite_file))
    assert compute_fraction_differing(model, onnx_model, crops) == 0
    variant = open_model("tflite", float32.convert_to_float32(tflite_file))
    assert are_outputs_equal(model, variant, crops)
    assert tflite.read_quantisation_steps(tflite_file).keys() == {1, 2, 3}

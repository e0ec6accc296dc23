"""What may be published and what must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixed_networks import FixedNetwork

pytest.importorskip("tensorflow")

from image_gender_classifier import manifest
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.convert import float32, tflite, verify_gender
from image_gender_classifier.convert.formats import Format
from image_gender_classifier.convert.verify_gender import Comparison
from image_gender_classifier.errors import ModelError
from image_gender_classifier.loading import SHIPPED_STEM, shipped_models
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops

GOOD = Comparison(1000, 0.9, 0.9, 0.9, steps=0, keras_difference=0.1, float32_difference=0)


def fixed(*logits: float, slope: float = 1.0, bias: float = 0.0) -> Classifier:
    entry = ModelEntry(
        *("a", "00", 1, (8, 8, 3), "uint8", "RGB", "square", "female", "male"),
        calibration=Calibration(slope, bias),
        threshold=0.5,
        license="Apache-2.0",
    )
    return Classifier(FixedNetwork(8, np.reshape(logits, (-1, 1))), entry)


def in_use(exported: Any, runtime: Any) -> Classifier:
    """One form of the exported model with the original's entry."""
    entry = manifest.load(exported.keras_path.parent).models[exported.keras_path.name]
    return Classifier(runtime, entry)


def compare(
    keras: Classifier,
    tflite: Classifier,
    onnx: Classifier,
    float32: Classifier | None,
    count: int = 4,
) -> Comparison:
    """Compares fixed answers to crops of which the first half is positive."""
    return verify_gender.compare_formats(
        np.zeros((count, 8, 8, 3), np.uint8),
        np.arange(count) < count / 2,
        keras=keras,
        tflite=tflite,
        onnx=onnx,
        float32=float32,
        step=0.5,
    )


NO_FAULTS: dict[str, list[str]] = {"tflite": [], "onnx": []}


def test_equal_or_better_formats_have_no_faults() -> None:
    assert GOOD.faults() == NO_FAULTS
    assert GOOD.float32_fault is None
    assert replace(GOOD, tflite=0.8951, onnx=0.8951).faults() == NO_FAULTS
    assert replace(GOOD, tflite=0.95, onnx=0.95).faults() == NO_FAULTS, "a gain is no fault"


def test_a_loss_of_one_crop_is_accepted() -> None:
    few = replace(GOOD, crops=100, onnx=0.89)
    assert few.faults() == NO_FAULTS
    assert replace(few, onnx=0.88).faults()["onnx"] != []


@pytest.mark.parametrize(
    ("fault", "name", "message"),
    [
        ({"steps": 1.0}, "onnx", "ONNX differs from TFLite by 1.00 quantisation steps"),
        ({"tflite": 0.894}, "tflite", "TFLite: accuracy is 0.60 percentage points below"),
        ({"onnx": 0.5}, "onnx", "ONNX: accuracy is 40.00 percentage points below"),
        ({"steps": float("nan")}, "onnx", "ONNX differs from TFLite by nan"),
        ({"steps": float("inf")}, "onnx", "ONNX differs from TFLite by inf"),
        ({"tflite": float("nan")}, "tflite", "TFLite: accuracy is nan"),
    ],
)
def test_faults_belong_to_one_format(fault: dict[str, Any], name: Format, message: str) -> None:
    faults = replace(GOOD, **fault).faults()
    assert {key for key, reasons in faults.items() if reasons} == {name}
    (reason,) = faults[name]
    assert message in reason


@pytest.mark.parametrize(
    ("difference", "message"),
    [(0.046, "from those of TFLite by 0.046"), (float("nan"), "from those of TFLite by nan")],
)
def test_a_float32_variant_that_differs_is_a_separate_fault(
    difference: float, message: str
) -> None:
    found = replace(GOOD, float32_difference=difference)
    assert found.faults() == NO_FAULTS
    assert message in str(found.float32_fault)


def test_figures_are_computed_from_the_logits() -> None:
    keras, tflite, onnx = fixed(1, 2, -1, -2), fixed(1, -0.5, -1, -2), fixed(1, 0, 0.5, -2)
    of_float = fixed(1, -0.25, -1, -2)
    found = compare(keras, tflite, onnx, of_float)
    assert found == Comparison(4, 1.0, 0.75, 0.75, 3.0, 2.5, float32_difference=0.25)
    table = found.format_figures()
    assert "accuracy on 4 crops: Keras 100.00 %, TFLite 75.00 %, ONNX 75.00 %" in table
    assert "TFLite and ONNX 3.00 quantisation steps, TFLite and Keras 2.500 logits" in table
    assert "TFLite and its float32 variant 0.250 logits" in table


def test_the_float32_variant_is_optional() -> None:
    same = fixed(1, -1)
    found = compare(same, same, same, None, count=2)
    assert found.float32_difference == 0


def test_accuracies_use_the_calibration_of_each_format() -> None:
    """With the calibration of each, in which a small positive logit may mean the other gender."""
    logits = (3, 2, 1, -2)
    plain, shifted = fixed(*logits), fixed(*logits, slope=2.0, bias=-3.0)
    found = compare(plain, shifted, shifted, shifted)
    assert found == Comparison(4, 0.75, 1.0, 1.0, 0.0, 0.0, 0.0)


def test_logits_that_are_not_finite_are_an_error() -> None:
    wrong = fixed(float("nan"), -1)
    with pytest.raises(ModelError, match="finite"):
        compare(fixed(1, -1), wrong, wrong, wrong, count=2)


def test_real_exports_have_no_faults(exported: Any, drawn_crops: LabelledCrops) -> None:
    found = verify_gender.compare_formats(
        drawn_crops.crops[::4],
        drawn_crops.female[::4],
        keras=in_use(exported, exported.keras),
        tflite=in_use(exported, exported.tflite),
        onnx=in_use(exported, exported.onnx),
        float32=in_use(
            exported, open_model("tflite", float32.convert_to_float32(exported.tflite_file))
        ),
        step=tflite.read_quantisation_steps(exported.tflite_file)[1],
    )
    assert found.steps == 0
    assert found.faults() == NO_FAULTS
    assert found.float32_fault is None


def test_an_export_of_another_model_has_faults(exported: Any, drawn_crops: LabelledCrops) -> None:
    other = open_model("onnx", (shipped_models() / f"{SHIPPED_STEM}.onnx").read_bytes())
    found = verify_gender.compare_formats(
        drawn_crops.crops[::4],
        drawn_crops.female[::4],
        keras=in_use(exported, exported.keras),
        tflite=in_use(exported, exported.tflite),
        onnx=in_use(exported, other),
        float32=None,
        step=tflite.read_quantisation_steps(exported.tflite_file)[1],
    )
    assert any("ONNX differs from TFLite by" in fault for fault in found.faults()["onnx"])

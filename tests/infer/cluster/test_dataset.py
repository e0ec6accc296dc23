"""The arguments of `cluster.classify` are checked before Ray starts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from image_gender_classifier import cluster
from image_gender_classifier.errors import UsageError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threshold": 2}, "the threshold is 2.0, but must be between 0 and 1"),
        ({"threshold": "0.5"}, "the threshold is '0.5', but must be a number"),
        ({"min_face": 0.001}, "min_face is 0.001"),
        ({"all_faces": "yes"}, "all_faces is 'yes', but must be True or False"),
        ({"runtime": "TFLite"}, "the runtime is 'TFLite', but must be one of auto, tflite, onnx"),
        ({"detector": None}, "the detector is None, but must be one of"),
        ({"max_pixels": 2**31}, "max_pixels is 2147483648"),
        ({"max_bytes": 2**63}, "max_bytes is 9223372036854775808"),
        ({"max_bytes": None}, "max_bytes is None, but must be a whole number"),
        ({"model": 5}, "model is 5, but must be a path or None"),
        ({"model": "gender.pt"}, "gender.pt: unknown model format"),
        ({"model": Path("m.tflite"), "runtime": "onnx"}, "needs the runtime tflite or auto"),
        ({"batch": 0}, "batch is 0, but must be at least 1"),
        ({"batch": 1.5}, "batch is 1.5, but must be a whole number"),
        ({"workers": "4"}, "workers is '4', but must be a whole number"),
    ],
)
def test_a_wrong_argument_is_refused_before_ray_starts(wrong: dict[str, Any], message: str) -> None:
    dataset: Any = None  # is not looked at
    with pytest.raises(UsageError) as raised:
        cluster.classify(dataset, **wrong)
    assert message in str(raised.value)
    ray = sys.modules.get("ray")
    assert ray is None or not ray.is_initialized()

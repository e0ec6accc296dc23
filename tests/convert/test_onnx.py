"""The ONNX file holds the TFLite file's integers and is computed wholly in integers."""

# ruff: noqa: E402 (a test without its library is skipped before the imports that need it)

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exports import use_int8_weights

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from image_gender_classifier import loading
from image_gender_classifier.convert import onnx as to_onnx
from image_gender_classifier.imaging.pixels import Pixels


def kinds(model: Any) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def assert_equal_answers(exported: Any, crops: Pixels) -> None:
    of_tflite = exported.tflite.run(crops)[0].reshape(-1)
    of_onnx = exported.onnx.run(crops)[0].reshape(-1)
    assert len(np.unique(of_tflite)) > 20, "answers that are all alike prove nothing"
    assert np.array_equal(of_tflite, of_onnx)


def test_outputs_equal_those_of_tflite(exported: Any, thousand_crops: Pixels) -> None:
    assert len(thousand_crops) == 1000
    assert_equal_answers(exported, thousand_crops)


def test_outputs_equal_those_of_tflite_on_noise_and_plain_crops(exported: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 96, 96, 3), np.uint8)
    plain = np.stack([np.full((96, 96, 3), level, np.uint8) for level in range(0, 256, 15)])
    crops = np.concatenate([noise, plain])
    assert np.array_equal(exported.tflite.run(crops)[0], exported.onnx.run(crops)[0])


def test_the_input_is_uint8_and_the_output_a_float_logit(exported: Any) -> None:
    session = ort.InferenceSession(exported.onnx_file, providers=["CPUExecutionProvider"])
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.type, taken.shape) == ("tensor(uint8)", [1, 96, 96, 3])
    assert (given.type, given.shape) == ("tensor(float)", [1, 1])


def test_activations_are_uint8_without_clip(exported: Any) -> None:
    model = onnx.load_from_string(exported.onnx_file)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    assert kinds(model)["Clip"] == 0
    assert kinds(model)["QuantizeLinear"] > 20
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            assert constants[node.input[2]].data_type == onnx.TensorProto.UINT8


def test_only_depthwise_convolutions_have_int8_weights(exported: Any) -> None:
    """Only depthwise convolutions, which ONNX Runtime adds in 32 bits, may have int8 weights."""
    model = onnx.load_from_string(exported.onnx_file)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    scaled = {node.output[0]: node for node in model.graph.node}
    kinds_of_weights: Counter[tuple[bool, int]] = Counter()
    for node in model.graph.node:
        if node.op_type in ("Conv", "MatMul"):
            weights = constants[scaled[node.input[1]].input[0]]
            depthwise = node.op_type == "Conv" and weights.dims[1] == 1
            kinds_of_weights[depthwise, weights.data_type] += 1
    assert set(kinds_of_weights) == {
        (True, onnx.TensorProto.INT8),
        (False, onnx.TensorProto.UINT8),
    }
    assert not to_onnx.can_saturate(exported.onnx_file)


def test_int8_weights_can_saturate(exported: Any) -> None:
    assert to_onnx.can_saturate(use_int8_weights(exported.onnx_file))


def test_the_opset_suits_onnx_runtime_1_8(exported: Any) -> None:
    model = onnx.load_from_string(exported.onnx_file)
    assert {(entry.domain, entry.version) for entry in model.opset_import} <= {
        ("", 13),
        ("ai.onnx.ml", 2),
    }
    onnx.checker.check_model(model, full_check=True)


def test_onnx_runtime_computes_in_integers_only(exported: Any, tmp_path: Path) -> None:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(exported.onnx_file, options, providers=["CPUExecutionProvider"])
    found = kinds(onnx.load(tmp_path / "optimised.onnx"))
    assert found["QLinearConv"] == 28
    assert found["QLinearAdd"] == 4
    assert not {"Conv", "FusedConv", "Clip", "Relu", "Add", "Gemm", "MatMul"} & set(found)


def test_outputs_equal_those_of_tflite_on_real_faces(exported: Any, real_crops: Pixels) -> None:
    assert_equal_answers(exported, real_crops)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_conversion_is_deterministic(seed: str, tmp_path: Path) -> None:
    """The seed of Python's hashes, and so the order of a set, differs from that of the release."""
    models = loading.shipped_models()
    code = (
        "import sys, pathlib; from image_gender_classifier.convert import onnx; "
        "source, target = map(pathlib.Path, sys.argv[1:]); "
        "target.write_bytes(onnx.convert_tflite_to_onnx(source.read_bytes()))"
    )
    source, target = models / "gender_int8.tflite", tmp_path / "again.onnx"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-c", code, source, target], env=environment, check=True)
    assert target.read_bytes() == (models / "gender_int8.onnx").read_bytes()

"""Additions without rescaling: every one's terms and sum share one scale and zero point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.convert import common_scales
from image_gender_classifier.convert.crops import LabelledCrops
from image_gender_classifier.runtimes import open_model


def graph_of(data: bytes) -> tuple[Any, Any]:
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    (graph,) = model.subgraphs
    return model, graph


def operators(data: bytes, *codes: int) -> list[Any]:
    model, graph = graph_of(data)
    return [
        operator
        for operator in graph.operators
        if max(
            model.operatorCodes[operator.opcodeIndex].builtinCode,
            model.operatorCodes[operator.opcodeIndex].deprecatedBuiltinCode,
        )
        in codes
    ]


def scales(data: bytes) -> list[set[tuple[float, int]]]:
    """The different pairs of scale and zero point of each addition."""
    _, graph = graph_of(data)
    return [
        {
            (float(q.scale[0]), int(q.zeroPoint[0]))
            for q in (
                graph.tensors[tensor].quantization
                for tensor in (*operator.inputs, *operator.outputs)
            )
        }
        for operator in operators(data, schema.BuiltinOperator.ADD)
    ]


@pytest.fixture(scope="module")
def before(exported: Any, drawn_crops: LabelledCrops) -> bytes:
    """The same file as the converter makes it, with scales as they come."""
    from image_gender_classifier.convert import tflite

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tflite.common_scales, "unify", lambda data: data)
        return tflite.quantise(exported.keras.model, drawn_crops.crops[::4])


def test_the_converter_alone_gives_different_scales(before: bytes) -> None:
    assert any(len(pairs) > 1 for pairs in scales(before)), "else there is nothing to unify"


def test_every_addition_has_one_scale(exported: Any) -> None:
    found = scales(exported.tflite_file)
    assert len(found) == 4
    assert [len(pairs) for pairs in found] == [1] * 4


def test_the_common_range_holds_all_that_was_there(before: bytes, exported: Any) -> None:
    _, old = graph_of(before)
    _, new = graph_of(exported.tflite_file)
    for operator in operators(before, schema.BuiltinOperator.ADD):
        for tensor in (*operator.inputs, *operator.outputs):
            was, now = old.tensors[tensor].quantization, new.tensors[tensor].quantization
            for level in (-128, 127):
                end = (level - was.zeroPoint[0]) * was.scale[0]
                assert (-128.5 - now.zeroPoint[0]) * now.scale[0] <= end
                assert end <= (127.5 - now.zeroPoint[0]) * now.scale[0]


def test_biases_count_in_input_scale_times_weight_scale(exported: Any) -> None:
    _, graph = graph_of(exported.tflite_file)
    codes = schema.BuiltinOperator
    found = operators(
        exported.tflite_file, codes.CONV_2D, codes.DEPTHWISE_CONV_2D, codes.FULLY_CONNECTED
    )
    assert len(found) == 29
    for operator in found:
        pixels, kernel, bias = (graph.tensors[index].quantization for index in operator.inputs)
        assert np.allclose(bias.scale, pixels.scale[0] * kernel.scale, rtol=1e-5)


def test_biases_keep_their_values(before: bytes, exported: Any) -> None:
    """The numbers change with their scale; what they stand for does not."""
    changed = 0
    (old_model, old), (new_model, new) = graph_of(before), graph_of(exported.tflite_file)
    for was, now in zip(old.tensors, new.tensors, strict=True):
        if was.type != schema.TensorType.INT32 or was.quantization.scale is None:
            continue
        values = [
            np.frombuffer(bytes(model.buffers[tensor.buffer].data), "<i4")
            * np.asarray(tensor.quantization.scale)
            for model, tensor in ((old_model, was), (new_model, now))
        ]
        assert np.allclose(*values, atol=float(np.max(now.quantization.scale)))
        changed += not np.array_equal(was.quantization.scale, now.quantization.scale)
    assert changed > 0


def test_the_answers_hardly_change(
    before: bytes, exported: Any, drawn_crops: LabelledCrops
) -> None:
    former = open_model("tflite", before).run(drawn_crops.crops)[0].reshape(-1)
    logits = exported.tflite.run(drawn_crops.crops)[0].reshape(-1)
    assert np.corrcoef(former, logits)[0, 1] > 0.99


def test_unifying_twice_changes_nothing_more(exported: Any, drawn_crops: LabelledCrops) -> None:
    again = open_model("tflite", common_scales.unify(exported.tflite_file))
    crops = drawn_crops.crops[:20]
    assert np.array_equal(again.run(crops)[0], exported.tflite.run(crops)[0])


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([], []),
        ([{1, 2}, {3, 4}], [{1, 2}, {3, 4}]),
        ([{1, 2}, {2, 3}, {3, 4}], [{1, 2, 3, 4}]),
        ([{1, 2}, {3, 4}, {2, 3}], [{1, 2, 3, 4}]),
        ([{1}, {2}, {3}, {1, 3}], [{2}, {1, 3}]),
    ],
)
def test_chains_of_additions_are_joined(groups: list[set[int]], expected: list[set[int]]) -> None:
    assert common_scales._merged(groups) == expected

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier.detection import geometry
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.results import Box
from image_gender_classifier.runtimes import Runtime, open_model
from image_gender_classifier.runtimes.registry import names

Pixels = npt.NDArray[np.uint8]
SHIPPED = Path(str(files("image_gender_classifier.models")))


def shipped(name: str) -> bytes:
    return (SHIPPED / f"gender_int8.{name}").read_bytes()


@pytest.fixture(scope="module")
def tflite() -> Runtime:
    pytest.importorskip("ai_edge_litert")
    return open_model("tflite", shipped("tflite"))


@pytest.fixture(scope="module")
def onnx() -> Runtime:
    pytest.importorskip("onnxruntime")
    return open_model("onnx", shipped("onnx"))


@pytest.fixture(scope="module")
def crops(samples: Path, tflite: Runtime) -> Pixels:
    """Squares of the sample pictures in all sizes, noise, and flat ones."""
    size = tflite.input_shape[0]
    chance = np.random.default_rng(0)
    cut = [chance.integers(0, 256, (size, size, 3), np.uint8)]
    cut += [np.full((size, size, 3), value, np.uint8) for value in (0, 127, 255)]
    for path in sorted(samples.glob("*.jpg")):
        pixels = decoding.read(path).pixels
        for _ in range(12):
            side = int(chance.integers(30, min(pixels.shape[:2])))
            y, x = (int(chance.integers(0, length - side)) for length in pixels.shape[:2])
            cut.append(np.ascontiguousarray(geometry.crop(pixels, Box(x, y, side, side), size)))
    return np.stack(cut)


def quantisation_step() -> float:
    """How far apart two neighbouring logits of the int8 model are."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=shipped("tflite"))
    steps = [
        float(tensor["quantization"][0])
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] == np.int8 and tensor["shape"].tolist() == [1, 1]
    ]
    return max(steps)


@pytest.mark.parametrize("name", names())
def test_an_opened_model_tells_its_form(name: str, request: pytest.FixtureRequest) -> None:
    runtime: Runtime = request.getfixturevalue(name)
    height, width, channels = runtime.input_shape
    assert (height, channels, runtime.input_dtype) == (width, 3, "uint8")


def test_both_runtimes_give_the_same_logits(tflite: Runtime, onnx: Runtime, crops: Pixels) -> None:
    (first,), (second,) = tflite.run(crops), onnx.run(crops)
    assert first.dtype == second.dtype == np.float32
    assert len(first) == len(second) == len(crops)
    assert len(np.unique(first)) > 10
    assert np.abs(first - second).max() <= quantisation_step() * 1.001
    assert np.array_equal(first > 0, second > 0)


@pytest.mark.parametrize("name", names())
def test_each_crop_is_answered_by_itself(
    name: str, crops: Pixels, request: pytest.FixtureRequest
) -> None:
    runtime: Runtime = request.getfixturevalue(name)
    (together,) = runtime.run(crops)
    alone = [runtime.run(crop[np.newaxis])[0] for crop in crops]
    assert np.array_equal(together, np.concatenate(alone))
    assert np.array_equal(runtime.run(crops[::-1])[0], together[::-1])


def test_two_opened_models_do_not_disturb_each_other(tflite: Runtime, crops: Pixels) -> None:
    other = open_model("tflite", shipped("tflite"))
    (first,) = tflite.run(crops[:1])
    other.run(crops[-1:])
    assert np.array_equal(tflite.run(crops[:1])[0], first)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("data", [b"", b"no model", b"\0" * 1000])
def test_bytes_that_are_no_model_are_a_model_error(name: str, data: bytes) -> None:
    pytest.importorskip({"tflite": "ai_edge_litert", "onnx": "onnxruntime"}[name])
    with pytest.raises(ModelError, match=f"(?i)the {name} model cannot be used"):
        open_model(name, data)


@pytest.mark.parametrize("name", names())
def test_a_model_of_the_other_format_is_a_model_error(name: str) -> None:
    pytest.importorskip({"tflite": "ai_edge_litert", "onnx": "onnxruntime"}[name])
    (other,) = set(names()) - {name}
    with pytest.raises(ModelError):
        open_model(name, shipped(other))


@pytest.mark.parametrize("name", names())
def test_an_opened_model_may_run_in_several_threads(
    name: str, crops: Pixels, request: pytest.FixtureRequest
) -> None:
    runtime: Runtime = request.getfixturevalue(name)
    (alone,) = runtime.run(crops)
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda _: runtime.run(crops)[0], range(16)))
    assert all(np.array_equal(answers, alone) for answers in together)


def test_what_is_told_of_opening_is_one_line_a_process() -> None:
    pytest.importorskip("ai_edge_litert")
    code = (
        "import sys; from image_gender_classifier.runtimes import open_model\n"
        "data = open(sys.argv[1], 'rb').read()\n"
        "for _ in range(3): open_model('tflite', data)"
    )
    command = [sys.executable, "-c", code, str(SHIPPED / "gender_int8.tflite")]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout == ""
    assert said.stderr.count("\n") <= 1

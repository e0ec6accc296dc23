"""Every runtime of the registry; those that `auto` tries also run the shipped model."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier import loading, manifest
from image_gender_classifier.detection import geometry
from image_gender_classifier.errors import ModelError, RuntimeMissing
from image_gender_classifier.imaging import decoding
from image_gender_classifier.results import Box
from image_gender_classifier.runtimes import Runtime, load_module, open_model
from image_gender_classifier.runtimes.registry import RUNTIMES, RuntimeEntry, automatic_runtimes

Pixels = npt.NDArray[np.uint8]
SHIPPED = Path(str(files("image_gender_classifier.models")))
SIDE = 96  # of the gender network's input
SIZES = (  # heights and widths over 32
    *((4, 4), (8, 6), (3, 8), (4, 4), (8, 8)),
    *((6, 8), (2, 8), (6, 2), (8, 6), (5, 8), (3, 8)),
)
STATUS = Path("/proc/self/status")
# Prints the memory in KB that it uses after 9 sizes of the input and after 36.
RUN_SIZES = """
import re, sys
from pathlib import Path
import numpy as np
from image_gender_classifier.runtimes import open_model
runtime = open_model(sys.argv[1], Path(sys.argv[2]).read_bytes())
for number in range(36):
    row, column = divmod(number, 6)
    runtime.run(np.zeros((1, 96 + 32 * row, 96 + 32 * column, 3), np.uint8))
    if number in (8, 35):
        status = Path("/proc/self/status").read_text()
        print(re.search(r"VmRSS:\\s+(\\d+)", status)[1])
"""
# Runs a large input with little memory, then with enough.
RUN_SHORT = """
import resource, sys
from pathlib import Path
import numpy as np
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.system.memory import limit_growth
runtime = open_model(sys.argv[1], Path(sys.argv[2]).read_bytes())
large = np.zeros((1, 2048, 2048, 3), np.uint8)
limit = resource.getrlimit(resource.RLIMIT_DATA)
limit_growth(2**24)
try:
    runtime.run(large)
except MemoryError:
    print("short")
resource.setrlimit(resource.RLIMIT_DATA, limit)
runtime.run(large)
"""

every_runtime = pytest.mark.parametrize("entry", RUNTIMES.values(), ids=lambda entry: entry.name)
each_shipped = pytest.mark.parametrize("entry", automatic_runtimes(), ids=lambda entry: entry.name)


def shipped(model_format: str) -> bytes:
    return (SHIPPED / f"{loading.SHIPPED_STEM}.{model_format}").read_bytes()


def skip_if_missing(entry: RuntimeEntry) -> None:
    try:
        load_module(entry.name)
    except RuntimeMissing as error:
        pytest.skip(str(error))


def opened(entry: RuntimeEntry) -> Runtime:
    skip_if_missing(entry)
    return open_model(entry.name, shipped(entry.format))


@pytest.fixture(scope="module")
def crops(samples: Path) -> Pixels:
    """Square crops of the sample pictures at all scales, noise, and uniform crops."""
    chance = np.random.default_rng(0)
    cut = [chance.integers(0, 256, (SIDE, SIDE, 3), np.uint8)]
    cut += [np.full((SIDE, SIDE, 3), value, np.uint8) for value in (0, 127, 255)]
    for path in sorted(samples.glob("*.jpg")):
        pixels = decoding.read(path).pixels
        for _ in range(12):
            side = int(chance.integers(30, min(pixels.shape[:2])))
            y, x = (int(chance.integers(0, length - side)) for length in pixels.shape[:2])
            cut.append(np.ascontiguousarray(geometry.cut_crop(pixels, Box(x, y, side, side), SIDE)))
    return np.stack(cut)


@each_shipped
def test_an_opened_model_has_the_input_of_its_manifest(entry: RuntimeEntry) -> None:
    runtime = opened(entry)
    assert (runtime.input_shape, runtime.input_dtype) == ((SIDE, SIDE, 3), "uint8")


@each_shipped
def test_logits_are_those_of_litert_bit_for_bit(entry: RuntimeEntry, crops: Pixels) -> None:
    """The cache key does not name the runtime."""
    pytest.importorskip("ai_edge_litert")
    skip_if_missing(entry)
    logits = loading.open_classifier(None, entry.name).compute_logits(crops)
    expected = loading.open_classifier(None, "tflite").compute_logits(crops)
    assert logits.dtype == np.float32
    assert len(np.unique(expected)) > 10
    assert np.array_equal(logits, expected)


@each_shipped
def test_each_crop_is_classified_independently(entry: RuntimeEntry, crops: Pixels) -> None:
    runtime = opened(entry)
    together = runtime.run(crops)[0]
    alone = [runtime.run(crop[np.newaxis])[0] for crop in crops]
    assert np.array_equal(together, np.concatenate(alone))
    assert np.array_equal(runtime.run(crops[::-1])[0], together[::-1])


@each_shipped
def test_two_opened_models_are_independent(entry: RuntimeEntry, crops: Pixels) -> None:
    runtime, other = opened(entry), opened(entry)
    first = runtime.run(crops[:1])[0]
    other.run(crops[-1:])
    assert np.array_equal(runtime.run(crops[:1])[0], first)


@each_shipped
def test_an_opened_model_may_run_in_several_threads(entry: RuntimeEntry, crops: Pixels) -> None:
    runtime = opened(entry)
    alone = runtime.run(crops)[0]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda _: runtime.run(crops)[0], range(16)))
    assert all(np.array_equal(answers, alone) for answers in together)


@each_shipped
def test_a_face_detector_runs_on_inputs_of_several_sizes(
    entry: RuntimeEntry, crops: Pixels
) -> None:
    """Also in turn, in several threads, and again after a size that it refuses."""
    skip_if_missing(entry)
    data = (SHIPPED / f"face_detector_int8.{entry.format}").read_bytes()
    runtime = open_model(entry.name, data)
    assert runtime.input_shape == (128, 128, 3)
    views = [np.tile(crops[-1:], (1, 4, 4, 1))[:, : 32 * a, : 32 * b] for a, b in SIZES]
    alone = [open_model(entry.name, data).run(view) for view in views]
    refusals = set()
    for _ in range(2):
        with pytest.raises(ModelError, match="cannot be run") as refused:
            runtime.run(np.zeros((1, 40, 64, 3), np.uint8))
        refusals.add(str(refused.value)[:60])
    assert len(refusals) == 1
    for view, (rows, columns) in zip(alone, SIZES, strict=True):
        assert {output.shape[:3] for output in view} == {(1, 4 * rows, 4 * columns)}
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: [runtime.run(view) for view in views], range(8)):
            for outputs, expected in zip(found, alone, strict=True):
                assert all(map(np.array_equal, outputs, expected))


@each_shipped
def test_many_sizes_take_little_memory(entry: RuntimeEntry) -> None:
    """An interpreter for each of 36 sizes would take 30 MB more."""
    skip_if_missing(entry)
    if not STATUS.exists():
        pytest.skip("this system has no /proc/self/status")
    model = SHIPPED / f"face_detector_int8.{entry.format}"
    command = [sys.executable, "-c", RUN_SIZES, entry.name, str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    few, many = map(int, done.stdout.split())
    assert many - few < 15_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits allocations")
@each_shipped
def test_a_lack_of_memory_is_not_the_models_fault(entry: RuntimeEntry) -> None:
    skip_if_missing(entry)
    model = SHIPPED / f"face_detector_int8.{entry.format}"
    command = [sys.executable, "-c", RUN_SHORT, entry.name, str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "short\n"), done.stderr


@pytest.mark.parametrize("metadata", [{}, {"input_size": "128"}, {"input_size": "wide 64"}])
def test_an_onnx_model_of_any_size_must_say_its_usual_one(metadata: dict[str, str]) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = onnx.load(SHIPPED / "face_detector_int8.onnx")
    onnx.helper.set_model_props(model, metadata)
    with pytest.raises(ModelError, match="its metadata has no input_size"):
        open_model("onnx", model.SerializeToString())


@each_shipped
def test_a_model_for_one_size_refuses_others(entry: RuntimeEntry) -> None:
    with pytest.raises(ModelError, match="cannot be run"):
        opened(entry).run(np.zeros((1, 64, 64, 3), np.uint8))


@every_runtime
@pytest.mark.parametrize("data", [b"", b"no model", b"\0" * 1000])
def test_bytes_that_are_not_a_model_are_a_model_error(entry: RuntimeEntry, data: bytes) -> None:
    skip_if_missing(entry)
    with pytest.raises(ModelError, match="model cannot be opened"):
        open_model(entry.name, data)


@every_runtime
def test_a_model_of_another_format_is_a_model_error(entry: RuntimeEntry) -> None:
    skip_if_missing(entry)
    others = {other.format for other in automatic_runtimes()} - {entry.format}
    assert others
    for model_format in others:
        with pytest.raises(ModelError):
            open_model(entry.name, shipped(model_format))


@each_shipped
def test_auto_has_models_in_the_format_of_each_runtime_it_tries(entry: RuntimeEntry) -> None:
    known = manifest.load(SHIPPED)
    assert entry.format in {model.format for model in known.models.values()}
    assert entry.format in {model.format for model in known.face_detectors.values()}


def test_litert_prints_one_line_per_process_at_most() -> None:
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

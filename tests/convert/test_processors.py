"""The shipped networks give the same answers with every runtime on every processor, to the bit.

Processors other than this machine's are emulated by QEMU where it is installed (Debian: qemu-user).
ONNX Runtime has kernels of its own for each of these, and with uint8 by int8 those for AVX2 without
VNNI saturate.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from exports import Outputs, run_by_channels, use_int8_weights

pytest.importorskip("ai_edge_litert")
pytest.importorskip("onnxruntime")

from image_gender_classifier import manifest
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.runtimes import open_model

NETWORKS = ("gender_int8", "face_detector_int8", "face_refiner_int8")
PROCESSORS = {"AVX2 without VNNI": "Haswell", "AVX2 of AMD": "EPYC-Rome", "SSE4.2": "Nehalem"}
SATURATE = ("Haswell", "EPYC-Rome")  # with int8 weights
CROPS_EMULATED = 12
PAIRS = [(network, runtime) for network in NETWORKS for runtime in ("tflite", "onnx")]
PROGRAM = """
import sys
import numpy as np
from image_gender_classifier.runtimes import open_model
answers, *jobs = sys.argv[1:]
for name, model, crops in zip(jobs[::3], jobs[1::3], jobs[2::3]):
    outputs = open_model(name, open(model, "rb").read()).run(np.load(crops))
    np.savez(f"{answers}_{name}_{model.rsplit('/', 1)[1]}.npz",
             **{str(output.shape[-1]): output for output in outputs})
"""


def shipped(file: str) -> Path:
    return shipped_models() / file


def crops_for(network: str, crops: Pixels) -> Pixels:
    """The crops at the size that a network takes."""
    models = manifest.load(shipped_models())
    size = models.networks[f"{network}.tflite"].input_shape[0]
    far = np.linspace(0, crops.shape[1] - 1, size).round().astype(int)
    return np.ascontiguousarray(crops[:, far][:, :, far])


def assert_the_same(expected: Outputs, found: Outputs) -> None:
    assert expected.keys() == found.keys()
    for channels, numbers in expected.items():
        assert len(np.unique(numbers)) > 5, "answers that are all alike prove nothing"
        differing = np.any(numbers != found[channels], axis=tuple(range(1, numbers.ndim)))
        assert not differing.any(), f"{differing.sum()} of {len(numbers)} answers differ"


@pytest.fixture(scope="session")
def six_hundred_crops(request: pytest.FixtureRequest, thousand_crops: Pixels) -> Pixels:
    """Faces of FairFace's validation part; drawn ones where it is absent."""
    try:
        crops: Pixels = request.getfixturevalue("real_crops")
    except pytest.skip.Exception:
        crops = thousand_crops
    return crops[:600]


@pytest.mark.parametrize("network", NETWORKS)
def test_onnx_runtime_and_litert_have_equal_outputs(
    network: str, six_hundred_crops: Pixels
) -> None:
    crops = crops_for(network, six_hundred_crops)
    expected, found = (
        run_by_channels(open_model(name, shipped(f"{network}.{name}").read_bytes()), crops)
        for name in ("tflite", "onnx")
    )
    assert_the_same(expected, found)


def emulator() -> str:
    program = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
    if program is None or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("QEMU's qemu-x86_64 is not installed (Debian: qemu-user), or is of no use here")
    return program


@pytest.mark.parametrize("processor", PROCESSORS.values(), ids=PROCESSORS.keys())
def test_an_emulated_processor_has_the_outputs_of_this_one(
    processor: str, six_hundred_crops: Pixels, tmp_path: Path
) -> None:
    """All networks and runtimes in one process, because emulated imports take most of the time.

    The answers of int8 weights show that the emulator has no VNNI, so that this test can fail.
    """
    program = emulator()
    few = six_hundred_crops[:: 600 // CROPS_EMULATED][:CROPS_EMULATED]
    expected = {}
    for network in NETWORKS:
        crops = crops_for(network, few)
        np.save(tmp_path / f"{network}.npy", crops)
        model = open_model("tflite", shipped(f"{network}.tflite").read_bytes())
        expected[network] = run_by_channels(model, crops)
    jobs = [
        str(part)
        for network, runtime in PAIRS
        for part in (runtime, shipped(f"{network}.{runtime}"), tmp_path / f"{network}.npy")
    ]
    saturating = tmp_path / "saturating.onnx"
    saturating.write_bytes(use_int8_weights(shipped("gender_int8.onnx").read_bytes()))
    jobs += ["onnx", str(saturating), str(tmp_path / "gender_int8.npy")]
    command = [program, "-cpu", processor, sys.executable, "-c", PROGRAM, str(tmp_path / "answers")]
    ended = subprocess.run([*command, *jobs], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr

    def found(runtime: str, model: str) -> Outputs:
        with np.load(tmp_path / f"answers_{runtime}_{model}.npz") as answers:
            return {int(name): answers[name] for name in answers.files}

    for network, runtime in PAIRS:
        assert_the_same(expected[network], found(runtime, f"{network}.{runtime}"))
    differs = np.any(found("onnx", saturating.name)[1] != expected["gender_int8"][1])
    assert differs == (processor in SATURATE)

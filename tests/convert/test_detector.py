"""All formats of a face detector find the same faces, or are not published."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from exports import change_weights, run_by_channels
from fixed_networks import FixedDetector
from training_pictures import write_backgrounds

pytest.importorskip("keras")
import keras

pytest.importorskip("tf2onnx")
import onnx as onnx_format

from image_gender_classifier import manifest
from image_gender_classifier.convert import cli, detector, float32, onnx, tflite, verify_detector
from image_gender_classifier.convert.verify_detector import DetectionScore, score_detector
from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.results import Box
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.detector import network, saving
from image_gender_classifier.train.detector.scene import Scene


@pytest.fixture(scope="module")
def trained_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained face detector whose heat maps vary."""
    folder = tmp_path_factory.mktemp("detector")
    keras.utils.set_random_seed(4)
    model = network.make_inference_detector(
        network.build_detector_network("small", False, 64), "small"
    )
    for name in (network.HEAT, network.BOX):
        kernel, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([kernel * 1e4, bias])
    saving.save_detector(model, folder, license="Apache-2.0", trained={"seed": 4})
    return folder / "face_detector.keras"


@pytest.fixture(scope="module")
def options(drawn_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = write_backgrounds(tmp_path_factory.mktemp("backgrounds"), 60)
    given = ("--data", drawn_faces, "--layout", "folders", "--backgrounds", folder)
    return [str(option) for option in given]


def convert(model: Path, out: Path, options: list[str]) -> int:
    return cli.main_detector(["--model", str(model), "--out", str(out), *options])


@pytest.fixture(scope="module")
def published(
    trained_detector: Path, options: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A complete conversion, on a few scenes."""
    out = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detector, "CALIBRATION_SCENES", 20)
        patch.setattr(detector, "VERIFICATION_SCENES", 20)
        assert convert(trained_detector, out, options) == 0
    return out


@pytest.fixture
def quick(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reuses the published files, for tests of what is published."""
    entry = manifest.load(published).face_detectors["face_detector_int8.tflite"]
    assert entry.float32_variant is not None
    tflite_file, float32_file = (
        manifest.read_verified(published, one) for one in (entry, entry.float32_variant)
    )
    onnx_file = (published / "face_detector_int8.onnx").read_bytes()
    monkeypatch.setattr(tflite, "quantise", lambda *_: tflite_file)
    monkeypatch.setattr(onnx, "convert_tflite_to_onnx", lambda _, resizable: onnx_file)
    monkeypatch.setattr(float32, "convert_to_float32", lambda _: float32_file)
    monkeypatch.setattr(detector, "CALIBRATION_SCENES", 2)
    monkeypatch.setattr(detector, "VERIFICATION_SCENES", 2)


def test_publishes_all_formats_with_manifest_entries(published: Path) -> None:
    face_detectors = manifest.load(published).face_detectors
    assert set(face_detectors) == {
        "face_detector.keras",
        "face_detector_int8.tflite",
        "face_detector_int8.onnx",
    }
    for entry in face_detectors.values():
        assert manifest.read_verified(published, entry)
    form = face_detectors["face_detector_int8.tflite"].float32_variant
    assert form is not None
    assert manifest.read_verified(published, form)
    assert (
        face_detectors["face_detector_int8.onnx"]
        .trained["converted_by"]
        .startswith("image-gender-convert-detector --model ")
    )


def test_tflite_and_onnx_give_equal_maps(published: Path) -> None:
    face_detectors = manifest.load(published).face_detectors
    runtimes = [
        open_model(
            name, manifest.read_verified(published, face_detectors[f"face_detector_int8.{name}"])
        )
        for name in ("tflite", "onnx")
    ]
    random = np.random.default_rng(1)
    pixels = cv2.resize(random.integers(0, 256, (7, 9, 3), np.uint8), (90, 70))
    squares = np.stack([letterbox(np.asarray(pixels, np.uint8), 64)] * 3)
    one, two = (run_by_channels(runtime, squares) for runtime in runtimes)
    assert set(one) == {1, 3}
    for channels, output in one.items():
        assert output.shape == (3, 8, 8, channels)
        assert np.ptp(output) > 0.1
        assert np.array_equal(output, two[channels])


def test_the_onnx_file_contains_only_operators_of_old_onnx_runtimes(published: Path) -> None:
    """ONNX Runtime has no DepthToSpace for uint8 before version 1.21."""
    model = onnx_format.load(published / "face_detector_int8.onnx")
    operators = {node.op_type for node in model.graph.node}
    assert "Resize" in operators
    assert operators <= {
        *("Add", "Clip", "Conv", "DequantizeLinear", "QuantizeLinear", "Resize", "Transpose"),
    }


def test_a_gender_classifier_is_refused(
    trained: Path, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(trained / "gender.keras", tmp_path, options) == 2
    assert "does not list this file as a face detector" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("worse", "fault"),
    [
        (DetectionScore(0.88, 0.0, 0.02), "ONNX: recall is 2.00 percentage points below"),
        (DetectionScore(0.9, 0.04, 0.02), "ONNX: false alarms are 4.00 percentage points"),
        (DetectionScore(0.9, 0.0, 0.035), "ONNX: mean frame error is 1.50 percentage points above"),
    ],
)
def test_a_format_with_worse_scores_is_skipped_with_a_warning(
    worse: DetectionScore,
    fault: str,
    trained_detector: Path,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = DetectionScore(0.9, 0.0, 0.02)
    results = iter([good, good, worse])
    monkeypatch.setattr(verify_detector, "score_detector", lambda *_: next(results))
    assert convert(trained_detector, tmp_path, options) == 0
    assert f"warning: skipped face_detector_int8.onnx: {fault}" in capsys.readouterr().err
    assert set(manifest.load(tmp_path).face_detectors) == {
        "face_detector.keras",
        "face_detector_int8.tflite",
    }


@pytest.mark.usefixtures("quick")
def test_nothing_is_published_if_all_formats_are_worse(
    trained_detector: Path,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = iter([DetectionScore(0.9, 0.0, 0.02), *[DetectionScore(0.8, 0.0, 0.02)] * 2])
    monkeypatch.setattr(verify_detector, "score_detector", lambda *_: next(results))
    assert convert(trained_detector, tmp_path, options) == 1
    assert (
        "nothing was published: TFLite: recall is 10.00 percentage points below"
        in capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_float32_variant_that_differs_is_skipped_with_a_warning(
    trained_detector: Path,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write = float32.convert_to_float32
    monkeypatch.setattr(float32, "convert_to_float32", lambda data: change_weights(write(data)))
    assert convert(trained_detector, tmp_path, options) == 0
    assert "warning: no float32 variant: its outputs differ" in capsys.readouterr().err
    assert (
        manifest.load(tmp_path).face_detectors["face_detector_int8.tflite"].float32_variant is None
    )


def test_scores_are_recall_false_alarms_and_frame_error() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    near, far = Box(10, 10, 40, 40), Box(60, 60, 30, 30)
    both, empty = Scene(pixels, (near, far)), Scene(pixels, ())
    beside = near._replace(x=near.x + 9)
    assert score_detector(FixedDetector(beside), [both, both, empty]) == DetectionScore(
        0.5, 1.0, 9 / 40
    )
    assert score_detector(FixedDetector(near._replace(x=near.x + 11)), [both]) == DetectionScore(
        0.0, 0.0
    )
    assert score_detector(FixedDetector(), [both, empty]) == DetectionScore(0.0, 0.0)

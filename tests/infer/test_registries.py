"""A new runtime and a new detector are one file and one registry entry each."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import cv2
import numpy as np
import pytest
from model_entries import write_manifest

import image_gender_classifier as igc
from image_gender_classifier import loading, manifest
from image_gender_classifier.detection.registry import DETECTORS, DetectorEntry
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.runtimes.registry import RUNTIMES, RuntimeEntry

Command = Callable[..., CompletedProcess[str]]
CheckXml = Callable[[bytes], Any]
PICTURES = 24
WORKERS = 2

# Does not survive a fork, as is usual for accelerators. It writes down which process opened it, and
# takes so long that both workers get pictures.
TOY_RUNTIME = """
import os, pathlib, time
import numpy as np

class Toy:
    input_shape = (96, 96, 3)
    input_dtype = "uint8"

    def __init__(self):
        self.process = os.getpid()
        (pathlib.Path(__file__).parent / f"opened-{self.process}").touch()

    def run(self, crops):
        if os.getpid() != self.process:
            raise RuntimeError("opened before the fork")
        time.sleep(0.02)
        return (np.where(crops.mean(axis=(1, 2, 3)) > 127, 3, -3).astype(np.float32),)

def open_model(data):
    assert data == b"toy"
    return Toy()
"""
# The gender model answers by the crop's brightness. The face detector finds one bright square.
TOY_MODELS = """
import numpy as np

class Gender:
    input_shape = (96, 96, 3)
    input_dtype = "uint8"

    def run(self, crops):
        return (np.where(crops[..., 0].mean(axis=(1, 2)) > 150, 3, -3).astype(np.float32),)

class FaceDetector:
    input_shape = (128, 128, 3)
    input_dtype = "uint8"

    def run(self, crops):
        heat = np.full((len(crops), 16, 16, 1), -9, np.float32)
        boxes = np.zeros((len(crops), 16, 16, 3), np.float32)
        for index, crop in enumerate(crops):
            rows, columns = np.nonzero(crop.max(axis=2) > 200)
            if len(rows):
                y, x = rows.mean() / 8, columns.mean() / 8
                cell = index, int(y), int(x)
                heat[cell] = 9
                boxes[cell] = x - int(x) - 0.5, y - int(y) - 0.5, np.log(len(rows) ** 0.5 / 128)
        return heat, boxes

def open_model(data):
    return {b"toy": Gender, b"toy face detector": FaceDetector}[data]()
"""
TOY_DETECTOR = """
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import UsageError
from image_gender_classifier.results import Box, Face

class Toy:
    framings = {"toy": Framing(1.0, 0.0)}
    cache_key = ("toy",)

    def detect(self, picture):
        return [Face(Box(8, 4, picture.width / 2, picture.width / 2), "toy")]

def open_detector(models, runtime, min_face, all_faces):
    if min_face is not None:
        raise UsageError("the toy detector has one size; omit --min-face")
    return Toy()
"""
RUNTIME = RuntimeEntry(
    name="toy",
    title="Toy Runtime",
    format="toy",
    module="toy_runtime",
    install="pip install toy",
    fork_safe=False,
    single_rounding=True,
    automatic=False,
)
DETECTOR = DetectorEntry(name="toy", help="the upper left corner", module="toy_detector")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes an importable module; returns its folder."""

    def write(name: str, source: str) -> Path:
        folder = tmp_path / "modules"
        folder.mkdir()
        (folder / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return folder

    return write


@pytest.fixture
def toy_model(tmp_path: Path) -> Path:
    """A model in the toy format with its manifest."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "model.toy").write_bytes(b"toy")
    return write_manifest(folder / "model.toy", 96, threshold=0.5)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures, alternately dark and light."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PICTURES):
        pixels = np.full((60, 40, 3), 200 if number % 2 else 50, np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), pixels)
    return folder


@pytest.mark.parametrize("options", [["--runtime", "toy"], []])
def test_each_worker_opens_a_runtime_that_does_not_survive_a_fork(
    options: list[str],
    module: Callable[[str, str], Path],
    toy_model: Path,
    photos: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    check_xml: CheckXml,
) -> None:
    folder = module("toy_runtime", TOY_RUNTIME)
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME)
    given = ["-i", photos, "-o", out, "--model", toy_model, "--detector", "none", *options]
    run = command(*given, "--workers", WORKERS)
    assert run.returncode == 0, run.stderr
    for number in range(PICTURES):
        root = check_xml((out / f"{number}.xml").read_bytes())
        assert root.get("gender") == ("female" if number % 2 else "male")
    opened = [path.name for path in folder.glob("opened-*")]
    assert len(opened) == WORKERS
    assert f"opened-{os.getpid()}" not in opened


@pytest.fixture
def shipped_toys(models: Path, toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped models with a gender model and a face detector in the toy format."""
    known = manifest.load(models)
    gender = manifest.load(toy_model.parent).models[toy_model.name]
    data = b"toy face detector"
    face_detector = known.face_detectors["face_detector_int8.tflite"]._replace(
        file="face_detector_int8.toy",
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        float32_variant=None,
    )
    shutil.copy(toy_model, models / "gender_int8.toy")
    (models / face_detector.file).write_bytes(data)
    added = known._replace(
        models={**known.models, "gender_int8.toy": gender._replace(file="gender_int8.toy")},
        face_detectors={**known.face_detectors, face_detector.file: face_detector},
    )
    (models / manifest.NAME).write_text(manifest.dump(added))
    monkeypatch.setattr(loading, "shipped_models", lambda: models)
    return models


@pytest.fixture
def bright_squares(tmp_path: Path) -> Path:
    """Two pictures with one square each, which is cyan (no red) or white."""
    folder = tmp_path / "squares"
    folder.mkdir()
    for name, red in (("cyan", 0), ("white", 255)):
        pixels = np.full((300, 400, 3), 40, np.uint8)
        pixels[100:200, 140:240] = (255, 255, red)  # BGR
        assert cv2.imwrite(str(folder / f"{name}.png"), pixels)
    return folder


@pytest.mark.usefixtures("shipped_toys")
@pytest.mark.parametrize("options", [["--runtime", "toy"], []])
def test_a_new_runtime_runs_both_networks(
    options: list[str],
    module: Callable[[str, str], Path],
    bright_squares: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    check_xml: CheckXml,
) -> None:
    """Here it is the only one that `auto` tries."""
    module("toy_runtime", TOY_MODELS)
    for name, entry in RUNTIMES.items():
        monkeypatch.setitem(RUNTIMES, name, entry._replace(automatic=False))
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME._replace(automatic=True))
    run = command("-i", bright_squares, "-o", out, "--workers", WORKERS, *options)
    assert run.returncode == 0, run.stderr
    for name, gender in (("cyan", "male"), ("white", "female")):
        root = check_xml((out / f"{name}.xml").read_bytes())
        (face,) = root
        assert (root.get("gender"), face.get("detector")) == (gender, "cnn")
        box = [float(face.get(side)) for side in ("x", "y", "width", "height")]
        assert box == pytest.approx([140, 100, 100, 100], abs=6)


def test_without_a_face_detector_in_its_format_the_error_names_other_detectors(
    module: Callable[[str, str], Path],
    toy_model: Path,
    photos: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module("toy_runtime", TOY_RUNTIME)
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME)
    run = command("-i", photos, "-o", out, "--model", toy_model)
    assert run.returncode == 2
    assert "no face detector network for toy; choose --detector lbp or none" in run.stderr
    assert not list(out.iterdir())


def test_a_runtime_that_wrongly_claims_to_survive_a_fork_fails(
    module: Callable[[str, str], Path],
    toy_model: Path,
    photos: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The test above would notice."""
    module("toy_runtime", TOY_RUNTIME)
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME._replace(fork_safe=True))
    run = command(
        *("-i", photos, "-o", out, "--model", toy_model, "--detector", "none"),
        *("--workers", WORKERS),
    )
    assert run.returncode != 0


def test_the_python_api_runs_a_new_runtime(
    module: Callable[[str, str], Path],
    toy_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module("toy_runtime", TOY_RUNTIME)
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME)
    classifier = igc.load(toy_model, detector="none")
    light = np.full((60, 40, 3), 200, np.uint8)
    assert classifier.classify(light).gender == "female"


def test_a_missing_library_of_a_new_runtime_is_an_error_at_start(
    module: Callable[[str, str], Path],
    toy_model: Path,
    photos: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module("toy_runtime", "import no_such_library")
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME)
    run = command("-i", photos, "-o", out, "--model", toy_model, "--detector", "none")
    assert run.returncode == 2
    assert "the toy runtime cannot be loaded" in run.stderr
    assert "pip install toy" in run.stderr
    assert not list(out.iterdir())


def test_a_model_that_differs_from_its_manifest_is_an_error(
    module: Callable[[str, str], Path],
    toy_model: Path,
    photos: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module("toy_runtime", TOY_RUNTIME.replace("(96, 96, 3)", "(64, 64, 3)"))
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME)
    run = command("-i", photos, "-o", out, "--model", toy_model, "--detector", "none")
    assert run.returncode == 2
    assert re.search(r"the input is uint8 \(64, 64, 3\), but its manifest says", run.stderr)


def test_options_and_errors_name_a_new_runtime(
    command: Command, folder: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RUNTIMES, "toy", RUNTIME)
    assert "Toy Runtime" in command("--help").stdout
    given = ["-i", folder, "-o", out]
    assert "toy" in command(*given, "--runtime", "other").stderr
    unknown = command(*given, "--model", tmp_path / "model.other")
    assert unknown.returncode == 2
    assert ".tflite, .onnx, .toy" in unknown.stderr
    other = command(*given, "--model", tmp_path / "model.toy", "--runtime", "onnx")
    assert "this model has the format toy and needs the runtime toy or auto" in other.stderr


def test_a_new_detector_finds_the_faces(
    module: Callable[[str, str], Path],
    folder: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    check_xml: CheckXml,
) -> None:
    module("toy_detector", TOY_DETECTOR)
    monkeypatch.setitem(DETECTORS, "toy", DETECTOR)
    run = command("-i", folder, "-o", out, "--detector", "toy", "--workers", WORKERS)
    assert run.returncode == 0
    for name in ("astronaut", "cat", "rocket"):
        (face,) = check_xml((out / f"{name}.xml").read_bytes())
        assert (face.get("detector"), face.get("x"), face.get("y")) == ("toy", "8", "4")
        assert face.get("gender") in ("female", "male", "unknown")


def test_options_and_errors_name_a_new_detector(
    module: Callable[[str, str], Path],
    folder: Path,
    out: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module("toy_detector", TOY_DETECTOR)
    monkeypatch.setitem(DETECTORS, "toy", DETECTOR)
    assert "toy: the upper left corner" in " ".join(command("--help").stdout.split())
    given = ["-i", folder, "-o", out]
    assert "toy" in command(*given, "--detector", "other").stderr
    refused = command(*given, "--detector", "toy", "--min-face", "0.1")
    assert refused.returncode == 2
    assert "omit --min-face" in refused.stderr


def test_a_detector_reads_entries_of_its_own_task(tmp_path: Path) -> None:
    fields = {"task": "face detection (toy)", "sha256": "00", "corner": "left"}
    (tmp_path / manifest.NAME).write_text(
        manifest.dump(Manifest(tmp_path, others={"toy.bin": fields}))
    )
    known = manifest.load(tmp_path)
    assert known.others == {"toy.bin": fields}
    assert manifest.load(tmp_path) == known

"""A new runtime and a new detector are one file and one registry entry each."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import cv2
import numpy as np
import pytest

import image_gender_classifier as igc
from image_gender_classifier import manifest
from image_gender_classifier.detection.registry import DETECTORS, DetectorEntry
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
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
    entry = ModelEntry(
        file="model.toy",
        sha256=hashlib.sha256(b"toy").hexdigest(),
        bytes=3,
        input_shape=(96, 96, 3),
        input_dtype="uint8",
        colour_order="RGB",
        framing="any",
        positive="female",
        negative="male",
        calibration=Calibration(),
        threshold=0.5,
        license="Apache-2.0",
    )
    (folder / entry.file).write_bytes(b"toy")
    (folder / manifest.NAME).write_text(manifest.dump(Manifest(folder, {entry.file: entry})))
    return folder / entry.file


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
    assert re.search(r"takes uint8 \(64, 64, 3\), but its manifest says", run.stderr)


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
    assert "is a toy model; give --runtime toy or auto" in other.stderr


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

"""The loop of docs/training.md: classify, review, fine-tune, convert, classify again.

The portraits are made from those in docs/samples: mirrored, rotated, darker or lighter.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

from image_gender_classifier import manifest
from image_gender_classifier.convert import cli as convert
from image_gender_classifier.convert import gender
from image_gender_classifier.imaging import decoding
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.outputs.corrections import Correction, write_corrections
from image_gender_classifier.outputs.picture_content import content_hash
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.evaluation import evaluate
from image_gender_classifier.train.gender import cli as train

PORTRAITS = {"astronaut": "female", "mona_lisa": "female", "aksel_andersson": "male"}
COPIES = 9
HELD_OUT = 0.2


def classify(photos: Path, out: Path, *options: str | Path) -> None:
    """Runs the command in a process of its own, as a fork beside TensorFlow's threads can hang."""
    given = ("-i", photos, "-o", out, "--quiet", *options)
    command = [sys.executable, "-m", "image_gender_classifier", *map(str, given)]
    subprocess.run(command, check=True)


def run(main: Any, *options: str | Path) -> int:
    code = main([str(option) for option in options])
    assert isinstance(code, int)
    return code


def predictions_in(folder: Path) -> dict[str, ElementTree.Element]:
    found = {}
    for path in folder.glob("*.xml"):
        root = ElementTree.parse(path).getroot()
        found[root.attrib["file"]] = root
    return found


@pytest.fixture(scope="module")
def photos(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """27 portraits; the name of each begins with that of its sample."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(7)
    for name in PORTRAITS:
        large = decoding.read(samples / f"{name}.jpg").pixels
        pixels = cv2.resize(large, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        height, width = pixels.shape[:2]
        for number in range(COPIES):
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-6, 6), 1)
            moved = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
            moved = moved[:, ::-1] if number % 2 else moved
            light = np.clip(moved * random.uniform(0.8, 1.2), 0, 255).astype(np.uint8)
            assert cv2.imwrite(str(folder / f"{name}-{number}.jpg"), light[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def classified(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("predictions")
    classify(photos, out)
    return out


@pytest.fixture(scope="module")
def corrections(photos: Path, classified: Path) -> Path:
    """What a person says about two thirds of the portraits, as the review page writes it."""
    said = {}
    for file, root in predictions_in(classified).items():
        name, _, number = Path(file).stem.rpartition("-")
        face = root.find("face")
        if int(number) % 3 == 0 or face is None:
            continue
        box = [int(face.attrib[side]) for side in ("x", "y", "width", "height")]
        answer = "unknown" if number == "1" else PORTRAITS[name]
        picture = content_hash((photos / file).read_bytes())
        said[file] = Correction(answer, (box[0], box[1], box[2], box[3]), picture)  # type: ignore[arg-type]
    path = classified / "corrections.csv"
    write_corrections(path, said)
    return path


@pytest.fixture(scope="module")
def data(photos: Path, corrections: Path) -> tuple[str | Path, ...]:
    return ("--data", photos, "--layout", "user-id", "--labels", corrections)


@pytest.fixture(scope="module")
def fine_tuned(
    data: tuple[str | Path, ...],
    shipped_keras: Path,
    eagerly: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str]:
    """The folder of a short fine-tuning, and what it printed."""
    folder = tmp_path_factory.mktemp("fine_tuned")
    with redirect_stdout(StringIO()) as printed:
        assert run(train.main, *data, "--out", folder, "--epochs", "1", "--folds", "2") == 0
    return folder, printed.getvalue()


def test_corrections_of_the_review_are_the_labels(fine_tuned: tuple[Path, str]) -> None:
    _, printed = fine_tuned
    first = printed.splitlines()[0]
    assert re.match(
        r"\d+ samples \(1\d female\); skipped: reviewed as unknown or no face: 3", first
    )
    assert "; label missing: 9 " in first


def test_the_result_is_compared_with_the_shipped_model(fine_tuned: tuple[Path, str]) -> None:
    folder, printed = fine_tuned
    assert re.search(r"fine-tuning on \d+ pictures, \d+ held out: at most", printed)
    assert re.search(r"in cross-validation \(2 folds\).*\n +n +original +fine-tuned\n", printed)
    last = printed[printed.index("accuracy on held-out pictures") :]
    assert re.search(r"\nall +(\d+) +\d+ of \1 \(.*\) +\d+ of \1 \(.*\)\n", last)
    assert re.search(r"pictures tell the accuracy to ± \d+ points only", last)
    assert printed.endswith(f"--model {folder / 'gender.keras'} --out FOLDER\n")
    assert "{" not in printed


def test_the_fine_tuned_model_keeps_the_calibration(
    fine_tuned: tuple[Path, str], shipped_keras: Path
) -> None:
    entry = manifest.load(fine_tuned[0]).models["gender.keras"]
    shipped = manifest.find_model(shipped_keras)
    assert (entry.calibration, entry.threshold) == (shipped.calibration, shipped.threshold)
    assert entry.trained["start"] == shipped.sha256
    assert entry.trained["recipe"]["held_out"] == HELD_OUT


def test_a_second_fine_tuning_can_start_from_the_first(
    fine_tuned: tuple[Path, str],
    data: tuple[str | Path, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = fine_tuned[0] / "gender.keras"
    second = (*data, "--from", first, "--epochs", "1")
    assert run(train.main, *second, "--out", tmp_path / "folds", "--folds", "2") == 2
    assert "omit --folds" in capsys.readouterr().err
    assert run(train.main, *second, "--out", first.parent) == 2
    assert not (tmp_path / "folds").exists()
    assert run(train.main, *second, "--out", tmp_path / "second") == 0
    entry = manifest.find_model(tmp_path / "second" / "gender.keras")
    assert entry.trained["start"] == manifest.find_model(first).sha256


def test_the_fine_tuned_model_is_converted_and_classifies_again(
    fine_tuned: tuple[Path, str],
    data: tuple[str | Path, ...],
    photos: Path,
    classified: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, _ = fine_tuned
    monkeypatch.setattr(gender, "MIN_VERIFICATION_CROPS", 20)
    monkeypatch.setattr(gender, "MIN_CALIBRATION_CROPS", 10)
    converted = tmp_path / "converted"
    converted.mkdir()
    model = ("--model", folder / "gender.keras", "--out", converted)
    assert run(convert.main, *model, "--formats", "tflite") == 0
    printed = capsys.readouterr().out
    assert re.search(r"\n +n +shipped +new\n", printed)
    assert "ms per face instead of" in printed

    int8 = converted / "gender_int8.tflite"
    again = tmp_path / "again"
    again.mkdir()
    classify(photos, again, "--model", int8)
    before, after = predictions_in(classified), predictions_in(again)
    assert before.keys() == after.keys()
    assert all(after[file].attrib["run"] != root.attrib["run"] for file, root in before.items())

    capsys.readouterr()
    page, figures = tmp_path / "differences.html", tmp_path / "figures.json"
    compare = (
        "--compare",
        shipped_models() / "gender_int8.tflite",
        "--differences",
        page,
        "--json",
        figures,
    )
    options = (*data, "--model", int8, "--split", "val", *compare)
    assert run(evaluate.main, *options) == 0
    printed = capsys.readouterr().out
    held_out = [name for name in before if is_held_out(Path(name).stem, HELD_OUT)]
    assert json.loads(figures.read_text())["n"] <= len(held_out)
    assert "(McNemar, p = " in printed
    assert page.exists()
    assert (tmp_path / "differences_files" / "data.js").exists()

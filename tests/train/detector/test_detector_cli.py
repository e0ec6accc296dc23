"""`image-gender-train-detector` end to end on pictures made here, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from recipes import write_changed_recipe
from training_pictures import write_backgrounds

pytest.importorskip("keras")
import keras
from training_runs import assert_same_weights, read_weights

from image_gender_classifier import manifest
from image_gender_classifier.train.detector import batches, cli, training

pytestmark = pytest.mark.usefixtures("eagerly")

RECIPE = Path(__file__).with_name("tiny.toml")
MODEL = "face_detector.keras"


def train(*options: str | Path) -> int:
    return cli.main([str(option) for option in options])


@pytest.fixture(scope="module", autouse=True)
def few_validation_scenes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "VALIDATION_SCENES", 32)
        yield


@pytest.fixture(scope="module")
def data(drawn_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The options for faces and backgrounds, one of each unreadable, and the tiny recipe."""
    faces = tmp_path_factory.mktemp("faces")
    shutil.copytree(drawn_faces, faces, dirs_exist_ok=True)
    (faces / "female" / "torn.png").write_bytes(b"torn")
    folder = write_backgrounds(tmp_path_factory.mktemp("backgrounds"), 20)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return [
        *("--data", faces, "--layout", "folders"),
        *("--backgrounds", folder, "--recipe", RECIPE),
    ]


@pytest.fixture(scope="module")
def finished(data: list[str | Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("detector") / "out"
    assert train(*data, "--out", out) == 0
    return out


def test_the_model_has_a_manifest_entry(finished: Path) -> None:
    entry = manifest.load(finished).face_detectors[MODEL]
    assert manifest.read_verified(finished, entry)
    assert entry.input_shape == (64, 64, 3)
    assert entry.trained["command"].startswith("image-gender-train-detector --data ")
    assert entry.trained["backgrounds"] == 20
    assert len((finished / "history.csv").read_text().splitlines()) == 3
    assert cv2.imread(str(finished / "learning_curves.png")) is not None


def test_a_resumed_run_equals_an_uninterrupted_one(
    finished: Path,
    data: list[str | Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    draw = batches.SceneBatches.__getitem__

    def interrupted(self: batches.SceneBatches, index: int) -> object:
        if (tmp_path / "history.csv").exists():  # in the second epoch
            raise KeyboardInterrupt
        return draw(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(batches.SceneBatches, "__getitem__", interrupted)
        assert train(*data, "--out", tmp_path) == 130
    assert not (tmp_path / MODEL).exists()
    said = capsys.readouterr().out
    assert "torn.png" in said
    assert "unreadable backgrounds: 1 ('broken.png')" in said
    assert train(*data, "--out", tmp_path) == 2
    assert "already contains a run" in capsys.readouterr().err
    assert train(*data, "--out", tmp_path, "--resume", "--seed", "2") == 2
    assert "other data or options (seed)" in capsys.readouterr().err
    assert train(*data, "--out", tmp_path, "--resume") == 0
    assert_same_weights(*(read_weights(folder / MODEL) for folder in (tmp_path, finished)))


def test_a_folder_without_backgrounds_is_refused(
    data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert train(*data, "--backgrounds", tmp_path, "--out", tmp_path / "out") == 2
    assert "contains no readable pictures" in capsys.readouterr().err


def test_a_run_cannot_be_resumed_with_other_backgrounds(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for number in range(20):
        cv2.imwrite(str(others / f"other{number}.png"), np.full((120, 160, 3), number, np.uint8))
    options = [others if option == data[5] else option for option in data]
    assert train(*options, "--out", finished, "--resume") == 2
    shown = capsys.readouterr().err
    assert "other data or options (backgrounds_key)" in shown
    assert "use another folder (with make: DETECTOR_OUT=folder)" in shown


def test_a_run_cannot_be_resumed_with_changed_backgrounds(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(data[5], changed)
    path = next(iter(sorted(changed.iterdir())))
    pixels = cv2.imread(str(path))
    assert pixels is not None
    cv2.imwrite(str(path), 255 - pixels)
    options = [changed if option == data[5] else option for option in data]
    assert train(*options, "--out", finished, "--resume") == 2
    assert "other data or options (backgrounds_key)" in capsys.readouterr().err


def test_a_run_cannot_be_resumed_with_changed_faces(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(data[1], changed)
    for path in changed.rglob("*.*"):
        if path.is_file():
            cv2.imwrite(str(path), np.full((130, 130, 3), 99, np.uint8))
    options = [changed if option == data[1] else option for option in data]
    assert train(*options, "--out", finished, "--resume") == 2
    assert "other data or options (pictures)" in capsys.readouterr().err


def test_a_training_can_start_from_an_earlier_detector(
    finished: Path, data: list[str | Path], tmp_path: Path
) -> None:
    """At a low learning rate, its weights change little."""
    recipe = write_changed_recipe(RECIPE, tmp_path / "slow.toml", ("= 0.002", "= 0.000001"))
    start = finished / MODEL
    assert train(*data, "--recipe", recipe, "--from", start, "--out", tmp_path / "out") == 0
    trained = keras.models.load_model(tmp_path / "out" / MODEL, compile=False)
    others = keras.models.load_model(start, compile=False)
    for layer in ("stem", "coarse1_mix", "heat"):
        ours, theirs = (network.get_layer(layer).get_weights()[0] for network in (trained, others))
        assert 0 < np.abs(ours - theirs).max() < 1e-3
    entry = manifest.load(tmp_path / "out").face_detectors[MODEL]
    assert entry.trained["start"] == manifest.load(finished).networks[MODEL].sha256


def test_a_run_cannot_be_resumed_from_another_start(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = finished / "run.json"
    other = json.loads(record.read_text())
    assert other.pop("start") is None
    record.write_text(json.dumps(other))  # as earlier versions wrote it
    assert train(*data, "--out", finished, "--resume") == 0
    copy = shutil.copytree(finished, tmp_path / "copy") / MODEL
    assert train(*data, "--from", copy, "--out", finished, "--resume") == 2
    assert "other data or options (start)" in capsys.readouterr().err


def test_a_start_with_another_network_is_refused(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_changed_recipe(RECIPE, tmp_path / "lite0.toml", ('"small"', '"lite0"'))
    start = finished / MODEL
    assert train(*data, "--recipe", recipe, "--from", start, "--out", tmp_path / "new") == 2
    assert "the network is small, but that of the recipe lite0" in capsys.readouterr().err
    assert train(*data, "--from", tmp_path / "none.keras", "--out", tmp_path / "new") == 2
    assert f"{tmp_path}" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert train(*data, "--from", start, "--out", finished) == 2
    assert "the new model would replace" in capsys.readouterr().err


def test_a_start_that_knows_held_out_faces_is_refused(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The best epoch is chosen by the loss on the held-out faces."""
    start = finished / MODEL
    recipe = write_changed_recipe(
        RECIPE, tmp_path / "half.toml", ("held_out = 0.2", "held_out = 0.5")
    )
    assert train(*data, "--recipe", recipe, "--from", start, "--out", tmp_path / "new") == 2
    shown = capsys.readouterr().err
    assert f"--from {start}: its training held out 0.2 of the same faces" in shown
    assert "set held_out = 0.2 or less in the recipe" in shown
    assert not (tmp_path / "new").exists()

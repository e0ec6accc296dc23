"""`image-gender-train-refiner` end to end on pictures made here, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from model_entries import write_shipped_manifest
from recipes import write_changed_recipe
from training_pictures import write_backgrounds, write_gender_folders

pytest.importorskip("keras")
pytest.importorskip("ai_edge_litert")
import keras
from training_runs import assert_same_weights, read_weights

from image_gender_classifier import manifest
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.refiner import batches, cli
from image_gender_classifier.train.refiner.views import MARGIN

pytestmark = pytest.mark.usefixtures("eagerly", "shipped_keras")

RECIPE = Path(__file__).with_name("tiny.toml")
MODEL = "face_refiner.keras"


def train(*options: str | Path) -> int:
    return cli.main([str(option) for option in options])


@pytest.fixture(scope="module")
def data(face_crop: Pixels, tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The options for faces and backgrounds, one of each unreadable, and the tiny recipe."""
    faces = write_gender_folders(tmp_path_factory.mktemp("faces"), face_crop, range(10))
    (faces / "female" / "torn.png").write_bytes(b"torn")
    places = write_backgrounds(tmp_path_factory.mktemp("backgrounds"), 20)
    (places / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return [
        *("--data", faces, "--layout", "folders"),
        *("--backgrounds", places, "--recipe", RECIPE),
    ]


@pytest.fixture(scope="module")
def finished(data: list[str | Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("refiner") / "out"
    assert train(*data, "--out", out, "--license", "Apache-2.0") == 0
    return out


def test_the_model_has_a_manifest_entry(finished: Path) -> None:
    entry = manifest.load(finished).face_refiners[MODEL]
    assert manifest.read_verified(finished, entry)
    assert (entry.input_shape, entry.input_dtype) == ((32, 32, 3), "uint8")
    assert (entry.colour_order, entry.license) == ("RGB", "Apache-2.0")
    assert entry.margin == MARGIN
    assert 0 < entry.candidate_weight < 1
    assert entry.lowest < entry.surest
    assert len((finished / "history.csv").read_text().splitlines()) == 4
    assert cv2.imread(str(finished / "learning_curves.png")) is not None


def test_the_manifest_records_the_training(finished: Path) -> None:
    text = json.loads((finished / manifest.NAME).read_text())["files"][MODEL]
    assert text["task"] == "face refinement (network)"
    trained = text["trained"]
    assert trained["command"].startswith("image-gender-train-refiner --data ")
    assert (trained["samples"], trained["backgrounds"]) == (21, 20)
    assert trained["recipe"]["search_epochs"] == 2
    shipped = manifest.load(shipped_models())
    assert trained["models"] == {
        name: shipped.networks[name].sha256
        for name in ("face_detector.keras", "face_detector_int8.tflite", "gender_int8.tflite")
    }


def test_the_training_starts_from_the_face_detector(finished: Path) -> None:
    """A few steps change the weights of its features a little."""
    networks = [
        keras.models.load_model(path, compile=False)
        for path in (finished / MODEL, shipped_models() / "face_detector.keras")
    ]
    for layer in ("stem", "fine1_mix", "last_mix"):
        (ours,), (theirs,) = (network.get_layer(layer).get_weights() for network in networks)
        change = np.abs(ours - theirs)
        assert 0 < change.max() < 0.02
        assert change.mean() < 0.1 * np.abs(theirs).mean()


def test_a_resumed_run_equals_an_uninterrupted_one(
    finished: Path,
    data: list[str | Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    draw = batches.CandidateBatches.__getitem__

    def interrupted(self: batches.CandidateBatches, index: int) -> object:
        if (tmp_path / "history.csv").exists():  # in the second epoch, before the second search
            raise KeyboardInterrupt
        return draw(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(batches.CandidateBatches, "__getitem__", interrupted)
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


def test_a_run_cannot_be_resumed_with_other_networks(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = write_shipped_manifest(
        tmp_path, lambda files: files["gender_int8.tflite"].update(sha256="0" * 64)
    )
    shutil.copy(shipped_models() / "face_detector.keras", models)
    assert train(*data, "--models", models, "--out", finished, "--resume") == 2
    shown = capsys.readouterr().err
    assert "other data or options (gender_int8.tflite)" in shown
    assert "use another folder (with make: REFINER_OUT=folder)" in shown


@pytest.mark.parametrize("missing", ["face_detector_int8.tflite", "gender_int8.tflite"])
def test_a_folder_without_the_networks_is_refused(
    missing: str, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = write_shipped_manifest(tmp_path, lambda files: files.pop(missing))
    assert train(*data, "--models", models, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert f"{models}: lists not all networks that the training needs" in said
    assert "a face detector in TFLite and a gender network with a face output" in said
    assert not (tmp_path / "out").exists()


def test_a_gender_network_without_a_face_output_is_refused(
    data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = write_shipped_manifest(
        tmp_path, lambda files: files["gender_int8.tflite"].pop("face_output")
    )
    assert train(*data, "--models", models, "--out", tmp_path / "out") == 2
    assert "lists not all networks that the training needs" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["face_detector.keras", "face_detector_int8.tflite"])
def test_a_network_with_another_hash_is_refused(
    file: str, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keras and LiteRT load the file all the same."""
    models = tmp_path / "models"
    shutil.copytree(shipped_models(), models, ignore=shutil.ignore_patterns("*.onnx"))
    with (models / file).open("ab") as network:
        network.write(b"\0")
    assert train(*data, "--models", models, "--out", tmp_path / "out") == 2
    assert file in capsys.readouterr().err
    assert not (tmp_path / "out" / MODEL).exists()


def test_too_few_backgrounds_are_refused(
    data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = write_backgrounds(tmp_path, 1)
    options = [few if option == data[5] else option for option in data]
    assert train(*options, "--out", tmp_path / "out") == 2
    assert "--backgrounds: too few backgrounds" in capsys.readouterr().err


def test_a_folder_without_a_detector_to_start_from_is_refused(
    data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = write_shipped_manifest(tmp_path, lambda files: files.pop("face_detector.keras"))
    assert train(*data, "--models", models, "--out", tmp_path / "out") == 2
    assert "lists no face_detector.keras to start from" in capsys.readouterr().err


def test_a_training_can_start_from_an_earlier_refiner(
    finished: Path, data: list[str | Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a low learning rate, its weights change little."""
    change = ("learning_rate = 0.002", "learning_rate = 1e-6")
    recipe = write_changed_recipe(RECIPE, tmp_path / "slow.toml", change)
    start = finished / MODEL
    more = write_changed_recipe(
        RECIPE, tmp_path / "half.toml", ("held_out = 0.2", "held_out = 0.5")
    )
    assert train(*data, "--recipe", more, "--from", start, "--out", tmp_path / "new") == 2
    assert "its training held out 0.2 of the same faces" in capsys.readouterr().err
    assert train(*data, "--recipe", recipe, "--from", start, "--out", finished) == 2
    assert "the new model would replace" in capsys.readouterr().err
    out = tmp_path / "out"
    assert train(*data, "--recipe", recipe, "--from", start, "--out", out) == 0
    networks = [keras.models.load_model(path, compile=False) for path in (out / MODEL, start)]
    for layer in ("stem", "fine1_mix", "hidden"):
        ours, theirs = (network.get_layer(layer).get_weights()[0] for network in networks)
        assert 0 < np.abs(ours - theirs).max() < 1e-3
    trained = manifest.load(out).face_refiners[MODEL].trained
    assert trained["models"][MODEL] == manifest.load(finished).networks[MODEL].sha256

"""`image-gender-train-face-output` end to end, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from training_pictures import write_backgrounds, write_gender_folders

pytest.importorskip("keras")
pytest.importorskip("ai_edge_litert")

from image_gender_classifier import manifest
from image_gender_classifier.imaging import decoding
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.train.common.keras_runtime import open_keras_classifier
from image_gender_classifier.train.face_output import cli


def train(*options: str | Path | int) -> int:
    return cli.main([str(option) for option in options])


@pytest.fixture(scope="module")
def backgrounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backgrounds(tmp_path_factory.mktemp("backgrounds"), 30)


def test_a_face_output_is_added_and_the_gender_output_is_kept(
    face_picture: Path,
    shipped_keras: Path,
    backgrounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = decoding.read(face_picture).pixels
    faces = write_gender_folders(tmp_path / "faces", picture, range(15))
    options = ("--data", faces, "--layout", "folders", "--backgrounds", backgrounds)
    few = ("--composites", 12, "--plain", 30, "--steps", 3)
    assert train(*options, "--model", shipped_keras, "--out", tmp_path / "out", *few) == 0
    assert "next: image-gender-convert --model" in capsys.readouterr().out
    entry = manifest.load(tmp_path / "out").models["gender.keras"]
    original = manifest.load(shipped_keras.parent).models["gender.keras"]
    assert entry.face_output is not None
    assert (entry.calibration, entry.threshold) == (original.calibration, original.threshold)
    trained = entry.trained["face_output"]
    assert trained["command"].startswith("image-gender-train-face-output --data ")
    assert trained["model"] == original.sha256
    assert (trained["composites"], trained["plain"], trained["steps"]) == (12, 30, 3)
    crop = np.asarray(cv2.resize(picture, (96, 96)), np.uint8)[np.newaxis]
    before, after = (
        open_keras_classifier(path).compute_logits(crop)
        for path in (shipped_keras, tmp_path / "out" / "gender.keras")
    )
    assert np.array_equal(before, after)


def test_a_model_without_a_manifest_is_refused(
    backgrounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gender.keras").write_bytes(b"")
    options = ("--data", tmp_path, "--layout", "folders", "--backgrounds", backgrounds)
    assert train(*options, "--model", tmp_path / "gender.keras", "--out", tmp_path / "out") == 2
    assert "manifest" in capsys.readouterr().err


def test_the_original_model_is_not_replaced(
    shipped_keras: Path, backgrounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shipped_keras.parent
    before = shipped_keras.read_bytes()
    options = ("--data", tmp_path, "--layout", "folders", "--backgrounds", backgrounds)
    assert train(*options, "--model", shipped_keras, "--out", folder) == 2
    assert "the new model would replace" in capsys.readouterr().err
    assert shipped_keras.read_bytes() == before


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(
    seed: int,
    shipped_keras: Path,
    backgrounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ("--data", tmp_path, "--layout", "folders", "--backgrounds", backgrounds)
    out = tmp_path / "out"
    assert train(*options, "--model", shipped_keras, "--out", out, f"--seed={seed}") == 2
    assert f"--seed {seed}" in capsys.readouterr().err
    assert not out.exists()


def test_a_locked_output_folder_is_refused(
    shipped_keras: Path, backgrounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--data", tmp_path, "--layout", "folders", "--backgrounds", backgrounds)
    out = tmp_path / "out"
    out.mkdir()
    with lock_folders([out]):
        assert train(*options, "--model", shipped_keras, "--out", out) == 2
    assert str(out) in capsys.readouterr().err

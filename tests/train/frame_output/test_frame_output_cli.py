"""`image-gender-train-frame-output` end to end, and what it refuses."""

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
from image_gender_classifier.train.common.keras_runtime import open_keras_with_entry
from image_gender_classifier.train.frame_output import cli
from image_gender_classifier.train.frame_output.network import UNITS


def train(*options: str | Path | int) -> int:
    return cli.main([str(option) for option in options])


@pytest.fixture(scope="module")
def backgrounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backgrounds(tmp_path_factory.mktemp("backgrounds"), 30)


def test_a_frame_output_is_added_and_the_others_are_kept(
    face_picture: Path,
    shipped_keras: Path,
    backgrounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = decoding.read(face_picture).pixels
    face = np.asarray(cv2.resize(picture[50:210, 140:300], (128, 128)), np.uint8)
    faces = write_gender_folders(tmp_path / "faces", face, range(15))
    options = ("--data", faces, "--layout", "folders", "--backgrounds", backgrounds)
    few = ("--pictures", 25, "--steps", 3)
    made = tmp_path / "my out" / "gender.keras"
    assert train(*options, "--model", shipped_keras, "--out", made.parent, *few) == 0
    assert f"next: image-gender-convert --model '{made}' with" in capsys.readouterr().out
    original, entry = manifest.find_model(shipped_keras), manifest.find_model(made)
    assert entry.frame_output == UNITS
    assert (entry.calibration, entry.threshold) == (original.calibration, original.threshold)
    assert entry.face_output == original.face_output
    trained = entry.trained["frame_output"]
    assert trained["command"].startswith("image-gender-train-frame-output --data ")
    assert trained["model"] == original.sha256
    crop = np.asarray(cv2.resize(face, (96, 96)), np.uint8)[np.newaxis]
    before, after = (
        {output.shape[-1]: output for output in open_keras_with_entry(path)[0].run(crop)}
        for path in (shipped_keras, made)
    )
    assert before.keys() == after.keys() == {1, 2, 3}
    assert np.array_equal(before[1], after[1])
    assert np.array_equal(before[2], after[2])
    assert not np.array_equal(before[3], after[3])


def test_a_detector_that_finds_no_face_is_reported(
    shipped_keras: Path, backgrounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = np.full((128, 128, 3), 90, np.uint8)
    faces = write_gender_folders(tmp_path / "faces", plain, range(15))
    options = ("--data", faces, "--layout", "folders", "--backgrounds", backgrounds)
    few = ("--pictures", 3, "--steps", 3)
    assert train(*options, "--model", shipped_keras, "--out", tmp_path / "out", *few) == 2
    assert "finds no face" in capsys.readouterr().err
    assert not (tmp_path / "out" / "gender.keras").exists()


def test_a_model_without_a_manifest_is_refused(
    backgrounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gender.keras").write_bytes(b"")
    options = ("--data", tmp_path, "--layout", "folders", "--backgrounds", backgrounds)
    assert train(*options, "--model", tmp_path / "gender.keras", "--out", tmp_path / "out") == 2
    assert "manifest" in capsys.readouterr().err

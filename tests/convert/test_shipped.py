"""The files that ship: as the manifest says, and the same answers from either of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("onnxruntime")
pytest.importorskip("tensorflow")

from image_gender_classifier import images, manifest, pipeline
from image_gender_classifier.convert import tflite
from image_gender_classifier.faces import Pixels
from image_gender_classifier.loading import SHIPPED_STEM, open_classifier, shipped_models
from image_gender_classifier.manifest import Entry
from image_gender_classifier.train import keras_runtime, platt
from image_gender_classifier.train.augment import degrade, move
from image_gender_classifier.train.detectors import open_detector


def entries() -> list[Entry]:
    models = manifest.load(shipped_models())
    return [*models.cascades, *models.finders.values(), *models.models.values()]


@pytest.fixture(scope="module")
def astronaut_crops(face_picture: Path) -> Pixels:
    """The astronaut's face, 150 times augmented."""
    detector = open_detector("cascade")
    crop = pipeline.find_crop(images.read(face_picture), detector, 128)
    assert crop is not None
    draws = [np.random.default_rng(number) for number in range(150)]
    return np.stack([degrade(move(crop, 96, draw), draw) for draw in draws])


def assert_within_a_step(crops: Pixels) -> None:
    of_tflite, of_onnx = (
        open_classifier(shipped_models() / f"{SHIPPED_STEM}.{kind}").logits(crops)
        for kind in ("tflite", "onnx")
    )
    step = tflite.logit_step((shipped_models() / f"{SHIPPED_STEM}.tflite").read_bytes())
    assert len(np.unique(of_tflite)) > 20, "answers that are all alike prove nothing"
    assert np.abs(of_tflite - of_onnx).max() <= step * 1.001


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.file)
def test_hash_and_size_are_the_manifests(entry: Entry) -> None:
    assert len(manifest.read_verified(shipped_models(), entry)) == entry.bytes


def test_every_model_file_is_in_the_manifest() -> None:
    suffixes = (".xml", ".keras", ".tflite", ".onnx")
    there = {path.name for path in shipped_models().iterdir() if path.suffix in suffixes}
    assert there == {entry.file for entry in entries()}


def test_both_formats_share_calibration_and_threshold() -> None:
    models = manifest.load(shipped_models()).models
    one, two = (models[f"{SHIPPED_STEM}.{kind}"] for kind in ("tflite", "onnx"))
    assert (one.calibration, one.threshold) == (two.calibration, two.threshold)
    assert one.second_look == two.second_look == platt.SECOND_LOOK


def test_tflite_and_onnx_agree(astronaut_crops: Pixels) -> None:
    assert_within_a_step(astronaut_crops)


def test_tflite_and_onnx_agree_on_real_faces(real_crops: Pixels) -> None:
    assert_within_a_step(real_crops)


def test_the_export_is_of_the_keras_file(astronaut_crops: Pixels, shipped_keras: Path) -> None:
    exact = keras_runtime.open_classifier(shipped_keras)
    rounded = open_classifier(shipped_models() / f"{SHIPPED_STEM}.tflite")
    pairs = np.stack([exact.logits(astronaut_crops), rounded.logits(astronaut_crops)])
    assert np.corrcoef(pairs)[0, 1] > 0.97
    assert np.abs(pairs[0] - pairs[1]).mean() < 0.3


def test_the_astronaut_is_judged(face_picture: Path) -> None:
    """Perceived gender as her portrait is labelled everywhere; the crops show it clearly."""
    detector = open_detector("cascade")
    picture = images.read(face_picture)
    for kind in ("tflite", "onnx"):
        classifier = open_classifier(shipped_models() / f"{SHIPPED_STEM}.{kind}")
        verdict = pipeline.judge(picture, "astronaut", detector, classifier)
        assert (verdict.status, verdict.gender) == ("classified", "female")

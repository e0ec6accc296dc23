"""The files that ship: as the manifest says, and the same answers from either of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from exports import run_by_channels

pytest.importorskip("ai_edge_litert")
pytest.importorskip("onnxruntime")
pytest.importorskip("tensorflow")

from image_gender_classifier import manifest, pipeline
from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import SHIPPED_STEM, open_classifier, shipped_models
from image_gender_classifier.manifest.schema import Entry
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.common import keras_runtime
from image_gender_classifier.train.common.augment import degrade_randomly, transform_randomly
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.gender import calibration


def entries() -> list[Entry]:
    models = manifest.load(shipped_models())
    return [*models.cascades, *models.networks.values()]


@pytest.fixture(scope="module")
def astronaut_crops(face_picture: Path) -> Pixels:
    """The astronaut's face, 150 times augmented."""
    detector = open_detector("network")
    crop = pipeline.find_crop(decoding.read(face_picture), detector, 128)
    assert crop is not None
    draws = [np.random.default_rng(number) for number in range(150)]
    return np.stack([degrade_randomly(transform_randomly(crop, 96, draw), draw) for draw in draws])


def assert_equal_logits(crops: Pixels) -> None:
    of_tflite, of_onnx = (
        open_classifier(shipped_models() / f"{SHIPPED_STEM}.{kind}").compute_logits(crops)
        for kind in ("tflite", "onnx")
    )
    assert len(np.unique(of_tflite)) > 20, "answers that are all alike prove nothing"
    assert np.array_equal(of_tflite, of_onnx)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.file)
def test_files_have_the_hash_and_size_of_the_manifest(entry: Entry) -> None:
    assert len(manifest.read_verified(shipped_models(), entry)) == entry.bytes


def test_every_model_file_is_in_the_manifest() -> None:
    suffixes = (".xml", ".keras", ".tflite", ".onnx")
    there = {path.name for path in shipped_models().iterdir() if path.suffix in suffixes}
    forms = [getattr(entry, "float32_variant", None) for entry in entries()]
    assert there == {one.file for one in (*entries(), *forms) if one is not None}


def assert_same_outputs(stem: str, inputs: Pixels) -> None:
    """Compares both outputs of a face network in all formats."""
    folder = shipped_models()
    entries = manifest.load(folder).networks
    variant = entries[f"{stem}.tflite"].float32_variant
    assert variant is not None
    files = (entries[f"{stem}.tflite"], entries[f"{stem}.onnx"], variant)
    of_tflite, *others = (
        run_by_channels(open_model(kind, manifest.read_verified(folder, file)), inputs)
        for kind, file in zip(("tflite", "onnx", "tflite"), files, strict=True)
    )
    for channels in (1, 3):
        assert len(np.unique(of_tflite[channels])) > 20, "outputs that are all alike prove nothing"
        assert all(np.array_equal(of_tflite[channels], other[channels]) for other in others)


def test_the_face_detector_has_equal_outputs_in_all_formats(face_picture: Path) -> None:
    random = np.random.default_rng(0)
    pixels = decoding.read(face_picture).pixels
    tiles = [(*random.integers(0, 250, 2), *random.integers(60, 260, 2)) for _ in range(40)]
    squares = np.stack([letterbox(pixels[y : y + h, x : x + w], 128) for x, y, h, w in tiles])
    assert_same_outputs("face_detector_int8", squares)


@pytest.mark.parametrize(("height", "width"), [(192, 256), (256, 96), (16, 256), (256, 256)])
def test_the_face_detector_has_equal_outputs_for_other_input_sizes(
    height: int, width: int, face_picture: Path
) -> None:
    pixels = decoding.read(face_picture).pixels
    views = [cv2.resize(np.rot90(pixels, turns), (width, height)) for turns in range(4)]
    assert_same_outputs("face_detector_int8", np.stack(views))


def test_a_larger_input_hardly_changes_outputs_far_from_the_edge(face_picture: Path) -> None:
    """Far from the edge, since a cell sees less than 64 pixels around it."""
    entry = manifest.load(shipped_models()).face_detectors["face_detector_int8.tflite"]
    network = open_model("tflite", manifest.read_verified(shipped_models(), entry))
    large = cv2.resize(decoding.read(face_picture).pixels, (256, 256))
    of_large, of_part = (
        {output.shape[-1]: output[0] for output in network.run(np.stack([view]))}
        for view in (large, large[64:192, 64:192])
    )
    for channels in (1, 3):
        inner, same = of_large[channels][15:17, 15:17], of_part[channels][7:9, 7:9]
        assert np.abs(inner - same).max() < 0.5
        assert len(np.unique(inner)) > 1


def test_all_formats_of_the_face_detector_have_the_same_settings() -> None:
    face_detectors = manifest.load(shipped_models()).face_detectors
    assert set(face_detectors) == {
        "face_detector.keras",
        "face_detector_int8.tflite",
        "face_detector_int8.onnx",
    }
    settings = {(entry.input_shape, *entry.cache_key[1:]) for entry in face_detectors.values()}
    assert len(settings) == 1


def test_the_face_refiner_has_equal_outputs_and_settings_in_all_formats(
    astronaut_crops: Pixels,
) -> None:
    entries = manifest.load(shipped_models()).face_refiners
    assert set(entries) == {
        "face_refiner.keras",
        "face_refiner_int8.tflite",
        "face_refiner_int8.onnx",
    }
    assert len({(entry.input_shape, *entry.cache_key[1:]) for entry in entries.values()}) == 1
    views = np.ascontiguousarray(astronaut_crops[:, 16:80, 16:80])
    assert_same_outputs("face_refiner_int8", views)


def test_the_gender_network_has_one_calibration_and_threshold_in_both_formats() -> None:
    models = manifest.load(shipped_models()).models
    one, two = (models[f"{SHIPPED_STEM}.{kind}"] for kind in ("tflite", "onnx"))
    assert (one.calibration, one.threshold) == (two.calibration, two.threshold)
    assert one.tta_threshold == two.tta_threshold == calibration.TTA_THRESHOLD


def test_the_gender_network_has_equal_logits_in_both_formats(astronaut_crops: Pixels) -> None:
    assert_equal_logits(astronaut_crops)


def test_the_int8_logits_are_close_to_those_of_keras(
    astronaut_crops: Pixels, shipped_keras: Path
) -> None:
    exact = keras_runtime.open_keras_classifier(shipped_keras)
    rounded = open_classifier(shipped_models() / f"{SHIPPED_STEM}.tflite")
    of_keras, of_tflite = (
        exact.compute_logits(astronaut_crops),
        rounded.compute_logits(astronaut_crops),
    )
    assert float(np.corrcoef([of_keras, of_tflite]).min()) > 0.97
    assert np.abs(of_keras - of_tflite).mean() < 0.3


def test_the_astronaut_is_classified(face_picture: Path) -> None:
    """Perceived gender as her portrait is labelled everywhere, if not surely."""
    detector = open_detector("network")
    picture = decoding.read(face_picture)
    for kind in ("tflite", "onnx"):
        classifier = open_classifier(shipped_models() / f"{SHIPPED_STEM}.{kind}", threshold=0.5)
        prediction = pipeline.classify(picture, "astronaut", detector, classifier)
        assert (prediction.status, prediction.gender) == ("classified", "female")

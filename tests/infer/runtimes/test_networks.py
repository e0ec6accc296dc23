"""Which file of a network is opened."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from image_gender_classifier import loading, manifest
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import NetworkEntry
from image_gender_classifier.runtimes.networks import open_network

litert = pytest.importorskip("ai_edge_litert")

MODEL = "gender_int8.tflite"


def entry_in(models: Path) -> NetworkEntry:
    return manifest.load(models).models[MODEL]


@pytest.fixture
def rounding_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulates tflite-runtime, which cannot be installed together with NumPy 2."""
    monkeypatch.setattr("image_gender_classifier.runtimes.tflite.SINGLE_ROUNDING", False)


@pytest.mark.usefixtures("rounding_twice")
def test_a_runtime_that_rounds_twice_opens_the_float32_variant(models: Path) -> None:
    entry = entry_in(models)
    (models / MODEL).unlink()
    network = open_network("tflite", models, entry)
    assert (network.input_shape, network.input_dtype) == (entry.input_shape, entry.input_dtype)


def test_other_runtimes_open_the_file_itself(models: Path) -> None:
    entry = entry_in(models)
    assert entry.float32_variant is not None
    (models / entry.float32_variant.file).unlink()
    network = open_network("tflite", models, entry)
    assert (network.input_shape, network.input_dtype) == (entry.input_shape, entry.input_dtype)


@pytest.mark.usefixtures("rounding_twice")
def test_a_model_without_a_float32_variant_is_opened_itself(models: Path) -> None:
    entry = entry_in(models)
    assert entry.float32_variant is not None
    (models / entry.float32_variant.file).unlink()
    network = open_network("tflite", models, entry._replace(float32_variant=None))
    crops = np.random.default_rng(3).integers(0, 256, (10, *entry.input_shape), np.uint8)
    (logits,) = (output for output in network.run(crops) if output.shape[1] == 1)
    assert np.array_equal(
        logits[:, 0], loading.open_classifier(None, "tflite").compute_logits(crops)
    )


@pytest.mark.usefixtures("rounding_twice")
def test_a_corrupt_float32_variant_is_rejected(models: Path) -> None:
    entry = entry_in(models)
    assert entry.float32_variant is not None
    with (models / entry.float32_variant.file).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match=r"in_float\.tflite: the file does not match the hash"):
        open_network("tflite", models, entry)


@pytest.mark.usefixtures("rounding_twice")
def test_a_missing_float32_variant_is_reported(models: Path) -> None:
    entry = entry_in(models)
    assert entry.float32_variant is not None
    (models / entry.float32_variant.file).unlink()
    with pytest.raises(ModelError, match=r"in_float\.tflite: no such file; tflite-runtime"):
        open_network("tflite", models, entry)


def test_the_float32_variant_is_not_a_model_option(models: Path) -> None:
    entry = entry_in(models)
    assert entry.float32_variant is not None
    with pytest.raises(
        ModelError, match=r"is the float32 variant of gender_int8\.tflite .*; give the path"
    ):
        loading.open_classifier(models / entry.float32_variant.file)


def test_predictions_and_their_cache_key_are_the_same(
    face_picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from image_gender_classifier.cli import program

    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(face_picture, photos)
    written = []
    for once in (True, False):
        monkeypatch.setattr("image_gender_classifier.runtimes.tflite.SINGLE_ROUNDING", once)
        out = tmp_path / f"out-{once}"
        out.mkdir()
        assert (
            program.main(["-i", str(photos), "-o", str(out), "--runtime", "tflite", "--quiet"]) == 0
        )
        written.append((out / f"{face_picture.stem}.xml").read_bytes())
    assert written[0] == written[1]
    assert b"<face " in written[0]


def test_logits_are_the_same_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    crops = np.random.default_rng(2).integers(0, 256, (40, 96, 96, 3), np.uint8)
    answers = []
    for once in (True, False):
        monkeypatch.setattr("image_gender_classifier.runtimes.tflite.SINGLE_ROUNDING", once)
        answers.append(loading.open_classifier(None, "tflite").compute_logits(crops))
    assert len(np.unique(answers[0])) > 5
    assert np.array_equal(answers[0], answers[1])


def test_a_network_in_use_is_not_opened_again(models: Path) -> None:
    entry = entry_in(models)
    network = open_network("tflite", models, entry)
    assert open_network("tflite", models, entry) is network
    del network
    (models / MODEL).write_bytes(b"something else")
    with pytest.raises(ModelError, match="does not match the hash"):
        open_network("tflite", models, entry)

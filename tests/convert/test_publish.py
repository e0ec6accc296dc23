"""Publishing changes what it must in a folder of models and nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from image_gender_classifier import manifest
from image_gender_classifier.convert import float32
from image_gender_classifier.convert.publish import (
    add_float32_variant,
    convert_float32_variant,
    make_entry,
    publish,
)
from image_gender_classifier.errors import ModelError, OutputError
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import Calibration, ModelEntry

MODEL = ModelEntry(
    *("gender.keras", "0" * 64, 1, (96, 96, 3), "uint8", "RGB", "square", "female", "male"),
    calibration=Calibration(1.2, 0.1),
    threshold=0.7,
    license="Apache-2.0",
    trained={"command": "x"},
    measured={"held_out": {"n": 10, "accuracy": 0.9}},
)


def entry(name: str, data: bytes) -> ModelEntry:
    return make_entry(name, data, MODEL)


def test_an_entry_has_its_own_name_hash_and_size() -> None:
    made = entry("a.onnx", b"abc")
    assert (made.file, made.bytes) == ("a.onnx", 3)
    assert made.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert made._replace(file=MODEL.file, sha256=MODEL.sha256, bytes=MODEL.bytes) == MODEL


def test_an_empty_folder_gets_a_manifest(tmp_path: Path) -> None:
    publish(tmp_path, {"a.onnx": b"abc"}, [entry("a.onnx", b"abc")])
    models = manifest.load(tmp_path)
    assert models.cascades == ()
    assert manifest.read_verified(tmp_path, models.models["a.onnx"]) == b"abc"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "manifest.json"]


def test_the_entry_of_a_file_names_its_float32_variant(tmp_path: Path) -> None:
    made = add_float32_variant(entry("a.tflite", b"abc"), b"abcd")
    form = made.float32_variant
    assert form is not None
    publish(tmp_path, {"a.tflite": b"abc", form.file: b"abcd"}, [made])
    (known,) = manifest.load(tmp_path).models.values()
    assert (
        known.float32_variant
        == form
        == ("a_in_float.tflite", hashlib.sha256(b"abcd").hexdigest(), 4)
    )
    assert manifest.read_verified(tmp_path, form) == b"abcd"


def test_an_entry_without_a_float32_variant_is_unchanged() -> None:
    made = entry("a.tflite", b"abc")
    assert add_float32_variant(made, None) == made


def test_the_reason_for_a_missing_float32_variant_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: bytes) -> bytes:
        raise ModelError("the operation X is not known here")

    monkeypatch.setattr(float32, "convert_to_float32", refuse)
    assert convert_float32_variant(b"") is None
    assert "no float32 variant: the operation X is not known here; " in capsys.readouterr().out


def test_cascades_and_other_models_are_kept(tmp_path: Path) -> None:
    shutil.copy(shipped_models() / manifest.NAME, tmp_path)
    before = manifest.load(tmp_path)
    name, other, *_ = before.models
    publish(tmp_path, {name: b"new"}, [entry(name, b"new")])
    after = manifest.load(tmp_path)
    assert len(before.cascades) > 0
    assert after.cascades == before.cascades
    assert list(after.models) == list(before.models)
    assert after.models[other] == before.models[other]
    assert after.models[name] == entry(name, b"new")


def test_publishing_again_writes_an_equal_manifest(tmp_path: Path) -> None:
    shutil.copy(shipped_models() / manifest.NAME, tmp_path)
    for _ in range(2):
        publish(tmp_path, {"a.onnx": b"abc"}, [entry("a.onnx", b"abc")])
        first = (tmp_path / manifest.NAME).read_bytes()
    publish(tmp_path, {"a.onnx": b"abc"}, [entry("a.onnx", b"abc")])
    assert (tmp_path / manifest.NAME).read_bytes() == first


def test_nothing_is_written_beside_a_corrupt_manifest(tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).write_text("{")
    with pytest.raises(ModelError, match="not valid JSON"):
        publish(tmp_path, {"a.onnx": b"abc"}, [entry("a.onnx", b"abc")])
    assert [path.name for path in tmp_path.iterdir()] == [manifest.NAME]


def test_a_file_that_cannot_be_written_leaves_the_manifest_unchanged(tmp_path: Path) -> None:
    publish(tmp_path, {"a.onnx": b"abc"}, [entry("a.onnx", b"abc")])
    before = (tmp_path / manifest.NAME).read_bytes()
    (tmp_path / "b.onnx").mkdir()
    with pytest.raises(OutputError, match=r"b\.onnx: cannot be written"):
        publish(tmp_path, {"b.onnx": b"def"}, [entry("b.onnx", b"def")])
    assert (tmp_path / manifest.NAME).read_bytes() == before


def test_a_recorded_command_may_contain_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    """The files are in place by then: a manifest that fails would leave them unusable."""
    made = entry("a.onnx", b"abc")._replace(trained={"command": "--data photos\udcff"})
    publish(tmp_path, {"a.onnx": b"abc"}, [made])
    content = json.loads((tmp_path / manifest.NAME).read_text("utf-8"))
    assert content["files"]["a.onnx"]["trained"]["command"] == "--data photos?"

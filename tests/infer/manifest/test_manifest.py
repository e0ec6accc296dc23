from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from image_gender_classifier import loading, manifest
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import (
    CascadeEntry,
    Entry,
    FaceDetectorEntry,
    FaceRefinerEntry,
    Float32Variant,
    ModelEntry,
)

SHIPPED = Path(str(files("image_gender_classifier.models")))
MODEL, CASCADE = "gender_int8.tflite", "lbpcascade_frontalface.xml"
FACE_DETECTOR = "face_detector_int8.tflite"
FACE_REFINER = "face_refiner_int8.tflite"
FACE_OUTPUT = {
    **{"slope": 1, "detector_slope": 2, "bias": 0, "lowest": 0.2, "surest": 0.8},
    **{"threshold": 0.5, "turned_threshold": 0.9, "sure_logit": 1.5},
}
SEARCH = {
    **{"clear": 1.0, "first": -1.5, "later": -1.5, "turned": -1.0, "tile": -2.0},
    **{"candidate_weight": 0.5, "largest_gain": 5.0},
}
Content = dict[str, Any]


def change(folder: Path, edit: Callable[[Content], object]) -> None:
    path = folder / manifest.NAME
    content = json.loads(path.read_text("utf-8"))
    edit(content)
    path.write_text(json.dumps(content), "utf-8")


def required(entry: type[Entry]) -> list[str]:
    optional = {
        "file",
        "tta_threshold",
        "trained",
        "measured",
        "float32_variant",
        "second_threshold",
        "turned_threshold",
        "largest_input",
        "face_output",
        "frame_output",
    }
    return [name for name in entry._fields if name not in optional]


def test_what_is_dumped_is_loaded_again(tmp_path: Path) -> None:
    shipped = manifest.load(SHIPPED)
    (tmp_path / manifest.NAME).write_text(manifest.dump(shipped), "utf-8")
    again = manifest.load(tmp_path)
    assert again == shipped._replace(folder=tmp_path)
    assert list(again.models) == list(shipped.models)
    assert manifest.dump(again) == manifest.dump(shipped)


def test_the_shipped_manifest_names_every_shipped_file_with_hash_size_and_licence() -> None:
    shipped = manifest.load(SHIPPED)
    entries: dict[str, Entry] = dict(shipped.networks)
    entries |= {entry.file: entry for entry in shipped.cascades}
    kinds = {".xml", ".tflite", ".onnx", ".keras"}
    variants = (entry.float32_variant for entry in shipped.networks.values())
    forms = {variant.file: variant for variant in variants if variant}
    reported: dict[str, Entry | Float32Variant] = {**entries, **forms}
    assert set(reported) == {path.name for path in SHIPPED.iterdir() if path.suffix in kinds}
    for name, one in reported.items():
        data = (SHIPPED / name).read_bytes()
        assert (one.bytes, one.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert manifest.read_verified(SHIPPED, one) == data
    assert all(entry.license for entry in entries.values())
    assert set(forms) == {
        f"{network}_int8_in_float.tflite" for network in ("gender", "face_detector", "face_refiner")
    }


@pytest.mark.parametrize("file", [MODEL, FACE_DETECTOR, FACE_REFINER])
@pytest.mark.parametrize(
    "form",
    [
        *({"file": "a.tflite"}, {"file": "a", "sha256": "0", "bytes": 1, "more": 2}, [], 7, None),
        *(
            {"file": file, "sha256": "0", "bytes": 1}
            for file in (7, None, ["a"], "a\0b", "../a", "/a", "a/b", "", ".")
        ),
    ],
)
def test_a_form_in_float32_of_another_kind_is_a_model_error(
    file: str, form: object, models: Path
) -> None:
    change(models, lambda content: content["files"][file].update(float32_variant=form))
    with pytest.raises(ModelError, match="a field is missing or invalid"):
        manifest.load(models)


def test_a_missing_manifest_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the manifest cannot be read \(No such file"):
        manifest.load(tmp_path)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b'{"manifest_version": 2,}'])
def test_a_manifest_that_is_no_json_is_a_model_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).write_bytes(data)
    with pytest.raises(ModelError, match=r"manifest\.json: the manifest is not valid JSON"):
        manifest.load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "1",
        "null",
        "{}",
        '{"manifest_version": 2}',
        '{"manifest_version": 2, "files": []}',
        '{"manifest_version": 2, "files": {"a": null}}',
        '{"manifest_version": 2, "files": {"a": {}}}',
    ],
)
def test_a_manifest_of_another_form_is_a_model_error(text: str, tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).write_text(text)
    with pytest.raises(ModelError, match="a field is missing or invalid"):
        manifest.load(tmp_path)


@pytest.mark.parametrize("version", [0, 1, "2", None])
def test_another_version_is_a_model_error(version: object, models: Path) -> None:
    change(models, lambda content: content.update(manifest_version=version))
    with pytest.raises(ModelError, match=f"manifest version {version} is not supported"):
        manifest.load(models)


@pytest.mark.parametrize(
    ("file", "field"),
    [(MODEL, name) for name in required(ModelEntry)]
    + [(CASCADE, name) for name in required(CascadeEntry)]
    + [(FACE_DETECTOR, name) for name in required(FaceDetectorEntry)]
    + [(FACE_REFINER, name) for name in required(FaceRefinerEntry)],
)
def test_a_missing_field_is_a_model_error(file: str, field: str, models: Path) -> None:
    change(models, lambda content: content["files"][file].pop(field))
    with pytest.raises(ModelError, match=field):
        manifest.load(models)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("candidate_threshold", 0.9),
        ("candidate_threshold", -0.1),
        ("candidate_threshold", float("nan")),
        ("candidate_threshold", "high"),
        ("turned_threshold", 0.05),
        ("second_threshold", 0.05),
        ("second_threshold", 1.1),
        ("second_threshold", float("nan")),
        ("frame_scale", 0),
        ("frame_scale", float("nan")),
        ("threshold", 1.5),
        ("smallest_face", 0),
        ("smallest_face", 1.5),
        ("largest_input", 0),
        ("largest_input", 96),
        ("largest_input", 250),
        ("largest_input", 256.0),
        ("largest_input", True),
        ("largest_input", 8192),
        ("largest_input", "large"),
        ("smallest_face", None),
        ("input_shape", [128, 128]),
        ("sha256", {}),
        ("detector", []),
        ("frame_scale", 1e308),
        ("search", SEARCH | {"clear": "high"}),
        ("search", SEARCH | {"later": float("nan")}),
        ("search", SEARCH | {"unheard_of": 1.0}),
        ("search", {"clear": 1.0}),
        ("search", None),
    ],
)
def test_a_face_detectors_field_of_the_wrong_kind_is_a_model_error(
    field: str, value: object, models: Path
) -> None:
    change(models, lambda content: content["files"][FACE_DETECTOR].update({field: value}))
    with pytest.raises(ModelError, match="is missing or invalid"):
        manifest.load(models)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("margin", 0),
        ("margin", float("nan")),
        ("margin", 2**63),
        ("candidate_weight", float("inf")),
        ("lowest", "low"),
        ("lowest", 3),
        ("screened", float("nan")),
        ("screened_turned", None),
        ("surest", None),
        ("tile_weight", float("inf")),
        ("input_shape", [64, 64]),
        ("unheard_of", 1),
    ],
)
def test_a_refiners_field_of_the_wrong_kind_is_a_model_error(
    field: str, value: object, models: Path
) -> None:
    change(models, lambda content: content["files"][FACE_REFINER].update({field: value}))
    with pytest.raises(ModelError, match="is missing or invalid"):
        manifest.load(models)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("longest_side", 0),
        ("longest_side", 128.5),
        ("longest_side", True),
        ("longest_side", 10**6),
        ("smallest_face", "large"),
        ("smallest_face", 0),
        ("smallest_face", 1.5),
        ("scale_factor", 1),
        ("scale_factor", float("nan")),
        ("min_neighbors", -1),
        ("min_neighbors", 2.5),
        ("min_neighbors", 2**40),
        ("frame_scale", 0),
        ("frame_scale", None),
        ("frame_shift_y", float("inf")),
        ("detector", 5),
        ("unheard_of", 1),
    ],
)
def test_a_cascades_field_of_the_wrong_kind_is_a_model_error(
    field: str, value: object, models: Path
) -> None:
    change(models, lambda content: content["files"][CASCADE].update({field: value}))
    with pytest.raises(ModelError, match="is missing or invalid"):
        manifest.load(models)


def test_a_model_without_test_time_augmentation_runs_once(models: Path) -> None:
    change(models, lambda content: content["files"][MODEL].pop("tta_threshold"))
    assert manifest.load(models).models[MODEL].tta_threshold == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("unheard_of", 1),
        ("input_shape", [96, 96]),
        ("input_shape", "96x96x3"),
        ("calibration", {"slope": 1, "offset": 0}),
        ("calibration", {"slope": "steep", "bias": 0}),
        ("calibration", None),
        ("threshold", "high"),
        ("threshold", None),
        ("threshold", 1.5),
        ("tta_threshold", -0.1),
        ("tta_threshold", 1.5),
        ("tta_threshold", float("nan")),
        ("tta_threshold", "often"),
        ("tta_threshold", None),
        ("positive", "woman"),
        ("positive", "male"),
        ("face_output", {"slope": 1}),
        ("face_output", FACE_OUTPUT | {"slope": float("nan")}),
        ("face_output", FACE_OUTPUT | {"bias": "none"}),
        ("face_output", FACE_OUTPUT | {"lowest": 0.9}),
        ("face_output", FACE_OUTPUT | {"surest": 1.1}),
        ("face_output", None),
        ("frame_output", {"right": 1.0, "down": 1.0}),
        ("frame_output", {"right": 1.0, "down": 1.0, "log_side": float("inf")}),
        ("frame_output", None),
    ],
)
def test_a_field_of_the_wrong_kind_is_a_model_error(
    field: str, value: object, models: Path
) -> None:
    change(models, lambda content: content["files"][MODEL].update({field: value}))
    with pytest.raises(ModelError, match=r"manifest\.json: a field is missing or invalid"):
        manifest.load(models)


@pytest.mark.parametrize("at", [0, 1000, -1])
def test_a_flipped_bit_is_noticed(at: int, models: Path) -> None:
    data = bytearray((models / MODEL).read_bytes())
    data[at] ^= 1
    (models / MODEL).write_bytes(data)
    with pytest.raises(ModelError, match="does not match the hash in its manifest"):
        manifest.read_verified(models, manifest.load(models).models[MODEL])


@pytest.mark.parametrize(
    ("name", "why"), [("a" * 300, "File name too long"), ("a\0b", "null"), ("", "no such file")]
)
def test_a_path_that_cannot_be_used_is_a_model_error(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{why}.*check the path of the model"):
        manifest.find_model(tmp_path / name)


def test_a_model_that_is_gone_is_a_model_error(models: Path) -> None:
    (models / MODEL).unlink()
    with pytest.raises(ModelError, match=rf"{MODEL}: the model file cannot be read"):
        manifest.read_verified(models, manifest.load(models).models[MODEL])


@pytest.mark.parametrize("slope", ["NaN", "Infinity", "0", "-1"])
def test_a_calibration_that_is_no_calibration_is_refused(tmp_path: Path, slope: str) -> None:
    shipped = manifest.load(loading.shipped_models())
    text = manifest.dump(manifest.Manifest(tmp_path, shipped.models))
    broken = re.sub(r'"slope": [^,]+', f'"slope": {slope}', text)
    (tmp_path / manifest.NAME).write_text(broken)
    with pytest.raises(ModelError, match="finite, with a positive slope"):
        manifest.load(tmp_path)


def test_a_manifest_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).write_text("[" * 200_000)
    with pytest.raises(ModelError, match="not valid JSON"):
        manifest.load(tmp_path)

"""What the package carries beside its code."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "models"
MANIFEST = json.loads((MODELS / "manifest.json").read_text("utf-8"))
FORMS = [entry["in_float"] for entry in MANIFEST["files"].values() if "in_float" in entry]
TOLD = {**MANIFEST["files"], **{form["file"]: form for form in FORMS}}


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("image_gender_classifier", "py.typed"),
        ("image_gender_classifier.outputs", "image.xsd"),
        ("image_gender_classifier.models", "manifest.json"),
        ("image_gender_classifier.models", "gender_int8.tflite"),
        ("image_gender_classifier.models", "gender_int8.onnx"),
        ("image_gender_classifier.train.datasets", "fairface_names.txt"),
        ("image_gender_classifier.convert", "calibration_fairface.txt"),
    ],
)
def test_the_package_finds_its_files(package: str, name: str) -> None:
    assert (files(package) / name).is_file()


@pytest.mark.parametrize("name", TOLD)
def test_models_are_those_of_the_manifest(name: str) -> None:
    data = files("image_gender_classifier.models").joinpath(name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == TOLD[name]["sha256"]
    assert len(data) == TOLD[name]["bytes"]


def test_the_notice_names_what_others_made() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    for name, entry in TOLD.items():
        assert f"models/{name}" in notice
        if name.endswith(".xml"):
            assert entry["sha256"] in notice
    for picture in (ROOT / "docs" / "samples").glob("*.jpg"):
        assert picture.name in notice
    for text in (MODELS / "LICENSES").iterdir():
        assert f"models/LICENSES/{text.name}" in notice


def test_no_absolute_path_of_the_machine_that_made_the_models_is_published() -> None:
    assert not re.findall(r"(?<![\w./:)])/[\w./-]+", json.dumps(MANIFEST))

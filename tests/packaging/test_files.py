"""The files that the package carries besides its code."""

from __future__ import annotations

import hashlib
import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
MANIFEST = json.loads((MODELS / "manifest.json").read_text("utf-8"))
FLOAT_MODELS = [
    entry["float32_variant"] for entry in MANIFEST["files"].values() if "float32_variant" in entry
]
ENTRIES = {**MANIFEST["files"], **{entry["file"]: entry for entry in FLOAT_MODELS}}
# Extras that are tested in environments of their own: tflite-runtime needs NumPy 1, and `make
# ray-test` makes one for Ray.
APART = ("tflite-runtime", "ray", "test-ray")
# The system of constraints.txt.
CI = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.11"}


def test_every_package_and_data_file_is_listed_in_pyproject() -> None:
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    for folder in ("infer", "train", "convert"):
        top = "image_gender_classifier" + ("" if folder == "infer" else f".{folder}")
        for path in (ROOT / folder).rglob("*"):
            if path.is_dir() or path.suffix == ".pyc":
                continue
            package = ".".join((top, *path.parent.relative_to(ROOT / folder).parts))
            assert package in settings["packages"]
            patterns = ["*.py", *settings["package-data"].get(package, ())]
            assert any(fnmatch(path.name, pattern) for pattern in patterns), path


def test_constraints_have_an_allowed_version_of_every_dependency() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    pinned = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    extras = {
        extra: names
        for extra, names in project["optional-dependencies"].items()
        if extra not in APART
    }
    listed = [*project["dependencies"], *(name for names in extras.values() for name in names)]
    for dependency in map(Requirement, listed):
        if dependency.name == project["name"]:
            continue
        if dependency.marker is None or dependency.marker.evaluate(dict(CI)):
            assert pinned[canonicalize_name(dependency.name)] in dependency.specifier, dependency


@pytest.mark.parametrize("name", ENTRIES)
def test_models_match_the_manifest(name: str) -> None:
    data = (MODELS / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == ENTRIES[name]["sha256"]
    assert len(data) == ENTRIES[name]["bytes"]


def test_notice_names_all_models_samples_and_licences() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    for name, entry in ENTRIES.items():
        assert f"models/{name}" in notice
        if name.endswith(".xml"):
            assert entry["sha256"] in notice
    for picture in (ROOT / "docs" / "samples").glob("*.jpg"):
        assert picture.name in notice
    for text in (MODELS / "LICENSES").iterdir():
        assert f"models/LICENSES/{text.name}" in notice


def test_manifest_has_no_absolute_paths() -> None:
    assert not re.findall(r"(?<![\w./:)])/[\w./-]+", json.dumps(MANIFEST))

"""The files that the package carries besides its code."""

from __future__ import annotations

import hashlib
import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
MANIFEST = json.loads((MODELS / "manifest.json").read_text("utf-8"))
FLOAT_MODELS = [entry["in_float"] for entry in MANIFEST["files"].values() if "in_float" in entry]
ENTRIES = {**MANIFEST["files"], **{entry["file"]: entry for entry in FLOAT_MODELS}}


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

"""Every constant that predictions depend on is part of the cache key."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import image_gender_classifier
from image_gender_classifier.loading import open_parts
from image_gender_classifier.settings import Settings

PACKAGE = Path(image_gender_classifier.__file__).parent
# Their constants decide which files are read, not what is predicted: limits, signatures, messages.
# The key of unreadable pictures depends on the source code of these modules (`imaging.versions`).
NOT_IN_KEY = {
    *("imaging.files", "imaging.formats", "imaging.icons", "imaging.jpeg_scans", "imaging.limits"),
    *("imaging.memory_errors", "imaging.opencv", "imaging.pillow", "imaging.pillow_colours"),
    *("imaging.pillow_errors", "imaging.plugins", "imaging.pnm"),
    *("imaging.tiff_tags", "imaging.versions", "detection.registry"),
}
# Regular expressions that find the markers of a JPEG.
PATTERNS = {"_JPEG_MARKER"}


def constants() -> Iterator[Any]:
    """Yields module and name of each constant of the layers that predictions depend on."""
    files = [PACKAGE / "pipeline.py"]
    for layer in ("detection", "classification", "imaging"):
        files += sorted((PACKAGE / layer).glob("*.py"))
    for file in files:
        module = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        if module in NOT_IN_KEY:
            continue
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for name in (each for target in targets for each in ast.walk(target)):
                    if isinstance(name, ast.Name) and name.id.isupper() and name.id not in PATTERNS:
                        yield pytest.param(module, name.id, id=f"{module}.{name.id}")


def changed(value: object) -> object:
    """Returns another value of the same kind."""
    if isinstance(value, tuple | frozenset):
        return type(value)(list(value)[:-1])
    if isinstance(value, dict):
        return {}
    if isinstance(value, int | float):
        return value + 1
    assert isinstance(value, str | bytes), "a constant of another kind must reach the key too"
    return value[:-1]


@pytest.mark.parametrize(("module", "name"), list(constants()))
def test_a_changed_constant_changes_the_key(
    module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_parts(Settings()).cache_key
    where = importlib.import_module(f"image_gender_classifier.{module}")
    monkeypatch.setattr(where, name, changed(getattr(where, name)))
    assert open_parts(Settings()).cache_key != before

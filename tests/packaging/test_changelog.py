"""CHANGELOG.md and the package's version."""

from __future__ import annotations

import re
from pathlib import Path

import image_gender_classifier as igc

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
SECTION = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def test_the_latest_release_is_the_packages_version() -> None:
    names = [name for name, _ in SECTION.findall(CHANGELOG.read_text("utf-8"))]
    assert names[:2] == ["Unreleased", igc.__version__]


def test_releases_are_listed_once_newest_first() -> None:
    names = [name for name, _ in SECTION.findall(CHANGELOG.read_text("utf-8"))][1:]
    numbers = [tuple(int(part) for part in name.split(".")) for name in names]
    assert numbers == sorted(set(numbers), reverse=True)

"""Paths that are looked up in listings of the subfolders."""

from __future__ import annotations

import os
from pathlib import Path
from unicodedata import normalize

import pytest

from image_gender_classifier.system.listed_names import ListedNames

COMPOSED, DECOMPOSED = (normalize(form, "café") for form in ("NFC", "NFD"))


@pytest.fixture
def names(tmp_path: Path) -> ListedNames:
    (tmp_path / DECOMPOSED).mkdir()
    for file in ("a.jpg", f"{DECOMPOSED}/b.jpg", f"{COMPOSED}.jpg", f"{DECOMPOSED}.jpg"):
        (tmp_path / file).touch()
    return ListedNames(tmp_path)


def test_files_are_found_and_others_not(names: ListedNames) -> None:
    assert names.has("a.jpg") and names.has(f"{DECOMPOSED}/b.jpg")
    assert not names.has("b.jpg") and not names.has("elsewhere/a.jpg")


def test_another_normalisation_is_found_by_its_spelling(names: ListedNames) -> None:
    assert names.find_spelling(f"{COMPOSED}/b.jpg") == f"{DECOMPOSED}/b.jpg"
    assert names.find_spelling(f"{COMPOSED}/c.jpg") is None


def test_a_name_that_is_listed_is_its_own_spelling(names: ListedNames) -> None:
    for file in (f"{COMPOSED}.jpg", f"{DECOMPOSED}.jpg", "a.jpg"):
        assert names.find_spelling(file) == file


def test_the_spelling_is_that_of_the_listing_where_the_system_finds_both(
    names: ListedNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, whose file systems find a file by any normalisation of its name."""
    monkeypatch.setattr(os.path, "lexists", lambda _: True)
    assert names.find_spelling(f"{COMPOSED}/b.jpg") == f"{DECOMPOSED}/b.jpg"

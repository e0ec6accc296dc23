"""Fixtures that tests of every part use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_VARIABLE = "IGC_SHARED"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data sets; tests that need it skip where it is absent."""
    folder = Path(os.environ.get(SHARED_VARIABLE, ROOT.parent / "shared"))
    if not (folder / "fairface").is_dir():
        pytest.skip(f"no shared data in {folder}; {SHARED_VARIABLE} can name its folder")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """The sample pictures: astronaut.jpg has a face, cat.jpg and rocket.jpg have none."""
    return ROOT / "docs" / "samples"


@pytest.fixture(scope="session")
def face_picture(samples: Path) -> Path:
    """A picture with one frontal face."""
    return samples / "astronaut.jpg"

"""Fixtures for runs that end early: many pictures, and an undisturbed run on them."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from command_runs import MANY, contents

from image_gender_classifier.cli import program


@pytest.fixture(scope="session")
def many_pictures(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder of many different small pictures."""
    folder = tmp_path_factory.mktemp("many_pictures")
    pixels = cv2.imread(str(samples / "astronaut.jpg"))
    assert pixels is not None
    data = cv2.imencode(".jpg", pixels[20:220, 110:340])[1].tobytes()
    for number in range(MANY):
        (folder / f"{number:03}.jpg").write_bytes(data + str(number).encode())
    return folder


@pytest.fixture(scope="session")
def undisturbed(many_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of an uninterrupted run on `many_pictures`."""
    out = tmp_path_factory.mktemp("undisturbed")
    tables = ["--csv", str(out / "t.csv"), "--jsonl", str(out / "t.jsonl")]
    assert program.main(["-i", str(many_pictures), "-o", str(out), "--quiet", *tables]) == 0
    assert len(contents(out)) == MANY + 2
    return out

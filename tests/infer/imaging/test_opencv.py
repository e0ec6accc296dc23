"""The check that OpenCV has what this package calls."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.imaging import opencv

INFER = Path(__file__).resolve().parents[3] / "infer"


def called() -> set[str]:
    """What the package calls in cv2, everywhere in its source."""
    return {
        node.func.attr
        for path in INFER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "cv2"
    }


def test_all_that_is_called_is_checked() -> None:
    assert sorted(called()) == list(opencv.NEEDED)


@pytest.mark.parametrize("name", opencv.NEEDED)
def test_whatever_is_missing_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opencv.check_opencv()  # passes with all of them
    monkeypatch.delattr(cv2, name)
    with pytest.raises(RuntimeMissing, match=f"has no {name}; .*--no-deps 'opencv-python-he"):
        opencv.check_opencv()


def test_beside_numpy_1_an_opencv_that_takes_it_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    monkeypatch.setattr(np, "__version__", "1.26.4")
    with pytest.raises(RuntimeMissing, match=r"'opencv-python-headless<4\.12'$"):
        opencv.check_opencv()


@pytest.mark.parametrize(
    ("source", "packages"),
    [
        ("raise ImportError('libGL.so.1: no such file')", "'opencv-python-headless<5'"),
        ("raise AttributeError('no attribute gapi')", "'opencv-python-headless<5'"),
        ("raise ImportError('numpy.core failed')", "'numpy<3' 'opencv-python-headless<5'"),
        ("", "'opencv-python-headless<5'"),
    ],
)
def test_from_python_it_is_an_error_of_the_package(
    source: str, packages: str, tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text(f"{source}\n")
    program = (
        "import image_gender_classifier as igc\n"
        "try: igc.load()\n"
        "except igc.RuntimeMissing as error: print(error)"
    )
    reported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert reported.stdout.endswith(f" -m pip install --force-reinstall --no-deps {packages}\n")

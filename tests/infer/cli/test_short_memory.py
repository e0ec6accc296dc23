"""A picture for which memory is short has no XML file; a later run classifies it."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn

import pytest
from PIL import Image

from image_gender_classifier.workers import classifying

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits allocations")

Command = Callable[..., CompletedProcess[str]]

LIMIT = 2**28  # bytes; enough for small pictures, and less than the large ones need
LARGE = ("large.png", "large.tif")


@pytest.fixture
def with_large(folder: Path) -> Path:
    large = Image.new("RGB", (8100, 8100), "red")
    for name in LARGE:
        options = {"compression": "tiff_adobe_deflate"} if name.endswith(".tif") else {}
        large.save(folder / name, **options)
    (folder / "truncated.tif").write_bytes((folder / "large.tif").read_bytes()[:99])
    return folder


def test_resume_classifies_it(with_large: Path, command: Command, out: Path) -> None:
    started = [sys.executable, "-m", "image_gender_classifier", "-i", with_large, "-o", out]
    limited = subprocess.run(
        [*map(str, started), "--workers", "1"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert limited.returncode == 4, limited.stderr
    written = {path.stem for path in out.glob("*.xml")}
    assert written == {"astronaut", "cat", "rocket", "truncated"}
    for name in LARGE:
        assert f"{name!r}: not enough memory for the picture" in limited.stderr
    assert limited.stderr.count("--resume tries it again") == len(LARGE)

    resumed = command("-i", with_large, "-o", out, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert len(list(out.glob("*.xml"))) == len(written) + len(LARGE)
    assert " 1 unreadable" in resumed.stdout


LOAD = """
import sys
from image_gender_classifier.runtimes import load_module
from image_gender_classifier.system.memory import limit_growth
from image_gender_classifier.workers.isolation import load_opencv
import numpy
sys.path.insert(0, sys.argv[1])
limit_growth(2**{power})
try:
    {call}
except Exception as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("call", ["load_opencv()", "load_module('tflite')"])
@pytest.mark.parametrize(
    ("power", "reason", "error"),
    [
        (25, "ImportError('lib.so: failed to map segment from shared object')", "MemoryError"),
        (30, "ImportError('lib.so: failed to map segment from shared object')", "RuntimeMissing"),
        (25, "ModuleNotFoundError('No module named cv2')", "RuntimeMissing"),
    ],
)
def test_a_library_that_cannot_be_loaded_for_lack_of_memory_is_not_missing(
    call: str, power: int, reason: str, error: str, tmp_path: Path
) -> None:
    for name in ("cv2", "ai_edge_litert", "tflite_runtime"):
        (tmp_path / f"{name}.py").write_text(f"raise {reason}")
    command = [sys.executable, "-c", LOAD.format(call=call, power=power), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{error}\n"


def test_a_library_without_the_needed_functions_is_not_short_of_memory(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").touch()
    command = [sys.executable, "-c", LOAD.format(call="load_opencv()", power=25), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "RuntimeMissing\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_lack_of_memory_for_the_libraries_exits_4(
    workers: int, command: Command, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> NoReturn:
        raise MemoryError

    monkeypatch.setattr(classifying, "load_opencv", fail)  # workers are forked from this process
    done = command("-i", folder, "-o", out, "--workers", workers)
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert "not enough memory for the libraries" in line and "fewer --workers" in line

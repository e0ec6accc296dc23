"""A picture for which memory is short has no XML file; a later run classifies it."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image

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

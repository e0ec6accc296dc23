"""A file is tried again once its decoder is repaired, even without a new version."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image, features

Command = Callable[..., CompletedProcess[str]]


def picture(folder: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(file, "TIFF")
    (folder / "a.tif").write_bytes(file.getvalue())


def broken_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.TiffImagePlugin", None)


def missing_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    check = features.check
    monkeypatch.setattr(features, "check", lambda name: name != "libtiff" and check(name))


@pytest.mark.parametrize("damage", [broken_package, missing_codec])
def test_resume_tries_a_file_again_whose_decoder_was_broken(
    damage: Callable[[pytest.MonkeyPatch], None], folder: Path, out: Path, command: Command
) -> None:
    picture(folder)
    with pytest.MonkeyPatch.context() as patch:
        damage(patch)  # workers are forked from this process
        assert command("-i", folder, "-o", out).returncode == 1
        assert "TIFF needs Pillow" in (out / "a.xml").read_text()
        assert command("-i", folder, "-o", out, "--resume").returncode == 1
    repaired = command("-i", folder, "-o", out, "--resume")
    assert repaired.returncode == 0
    assert "3 of them kept" in repaired.stdout
    assert 'status="no_face"' in (out / "a.xml").read_text()

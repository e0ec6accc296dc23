from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import PIL
import pytest

from image_gender_classifier.imaging import versions
from image_gender_classifier.imaging.versions import decoder_versions, unreadable_key


def test_versions_are_those_of_the_packages() -> None:
    opencv, pillow, heif = decoder_versions()
    assert opencv.startswith(f"cv2 {cv2.__version__}")
    assert pillow == f"PIL {PIL.__version__}"
    try:
        import pillow_heif
    except ImportError:
        assert heif == "pillow_heif none"
    else:
        assert heif == f"pillow_heif {pillow_heif.__version__}"


def test_pillow_is_not_imported() -> None:
    program = (
        "import sys; from image_gender_classifier.imaging import versions\n"
        "versions.decoder_versions()\n"
        "sys.exit(bool({'PIL', 'pillow_heif'}.intersection(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_another_version_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = decoder_versions()
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert decoder_versions()[1] == "PIL unknown"
    (tmp_path / "PIL" / "_version.py").write_text('__version__ = "99.1"\n')
    assert decoder_versions() == (before[0], "PIL 99.1", before[2])


def test_unreadable_pictures_are_tried_again_with_another_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = unreadable_key("settings")
    (tmp_path / "pillow_heif").mkdir()
    (tmp_path / "pillow_heif" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    unreadable_key.cache_clear()
    assert unreadable_key("settings") != before
    monkeypatch.undo()
    unreadable_key.cache_clear()
    assert unreadable_key("settings") == before


def test_missing_packages_have_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])  # cv2 is loaded already
    assert decoder_versions()[1:] == ("PIL none", "pillow_heif none")


def test_unreadable_pictures_are_tried_again_with_other_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = unreadable_key("settings")
    shutil.copytree(versions.FOLDER / "imaging", tmp_path / "imaging")
    shutil.copy(versions.FOLDER / "settings.py", tmp_path)
    monkeypatch.setattr(versions, "FOLDER", tmp_path)
    unreadable_key.cache_clear()
    assert unreadable_key("settings") == before
    for name, constant in (("imaging/limits.py", "_MAX_SCANS"), ("settings.py", "MAX_PIXELS")):
        source = (tmp_path / name).read_text()
        (tmp_path / name).write_text(source.replace(f"\n{constant} = ", f"\n{constant} = 1 + "))
        unreadable_key.cache_clear()
        assert unreadable_key("settings") != before
        (tmp_path / name).write_text(source)
    monkeypatch.undo()
    unreadable_key.cache_clear()

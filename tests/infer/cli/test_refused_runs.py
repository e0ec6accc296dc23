"""Runs that end before the first picture: wrong usage, models, missing libraries."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from command_runs import LIKELIER, Command, contents, error_line

REPAIRED = "pip install --force-reinstall --no-deps"


def test_an_input_that_is_not_a_folder_is_rejected(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    for arguments in (["-i", folder, "-o", missing], ["-i", missing, "-o", tmp_path]):
        refused = command(*arguments)
        assert refused.returncode == 2
        assert f"{missing}: the folder does not exist" in error_line(refused)
    assert not missing.exists()


def test_a_folder_without_pictures_is_rejected(command: Command, out: Path, folder: Path) -> None:
    (out.parent / "empty").mkdir()
    refused = command("-i", out.parent / "empty", "-o", out)
    assert refused.returncode == 2
    assert "no picture in this folder" in error_line(refused)
    (out.parent / "empty" / "a.jpg.part").write_bytes((folder / "cat.jpg").read_bytes())
    assert "--hidden includes" in error_line(command("-i", out.parent / "empty", "-o", out))


def test_errors_escape_an_undecodable_folder_name(process: Command, out: Path) -> None:
    refused = process("-i", os.fsdecode(b"/missing\xff\n"), "-o", out)
    assert refused.returncode == 2
    assert "/missing" in error_line(refused)


def test_a_picture_is_never_overwritten(command: Command, folder: Path, tmp_path: Path) -> None:
    (folder / "cat.jpg").rename(folder / "cat.xml")  # recognised as a picture by its first bytes
    before = contents(folder)
    (tmp_path / "link").symlink_to(folder)
    for target in (folder, tmp_path / "link"):
        assert command("-i", folder, "-o", target, "--resume").returncode == 0
        after = contents(folder)
        assert before.items() <= after.items()
        written = {"cat.xml.xml", "astronaut.xml", "rocket.xml"}
        assert set(after) - set(before) == written
        assert b'file="cat.xml"' in after["cat.xml.xml"]


def test_a_picture_in_another_folder_is_never_overwritten(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "b.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    (folder / "cat.jpg").rename(folder / "b.xml")
    before = contents(folder)
    # The XML file of in/b.jpg would be in/b.xml.
    assert command("-i", folder, "-o", tmp_path, "--recursive").returncode == 0
    after = contents(folder)
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"b.jpg.xml"}


@pytest.mark.parametrize("option", ["--csv", "--jsonl"])
@pytest.mark.parametrize("name", ["in/cat.jpg", "out/cat.xml", "in/../in/cat.jpg"])
def test_a_table_overwrites_neither_picture_nor_xml_file(
    option: str, name: str, command: Command, folder: Path, out: Path
) -> None:
    before = contents(folder)
    refused = command("-i", folder, "-o", out, option, folder.parent / name)
    assert refused.returncode == 2
    assert "cat." in error_line(refused)
    assert contents(folder) == before


def test_the_rows_of_an_interrupted_run_overwrite_no_picture(
    command: Command, folder: Path, out: Path
) -> None:
    (folder / "cat.jpg").rename(folder / "t.partial")
    before = contents(folder)
    refused = command("-i", folder, "-o", out, "--csv", folder / "t", "--hidden")
    assert refused.returncode == 2
    assert "t.partial: would be overwritten" in error_line(refused)
    assert contents(folder) == before


def test_a_modified_model_is_rejected(
    command: Command, folder: Path, out: Path, models: Path
) -> None:
    for name in ("gender_int8.tflite", "gender_int8.onnx"):
        data = bytearray((models / name).read_bytes())
        data[len(data) // 2] ^= 0xFF
        (models / name).write_bytes(data)
        refused = command("-i", folder, "-o", out, "--model", models / name)
        assert refused.returncode == 2
        assert f"{name}: the file does not match the hash in its manifest" in error_line(refused)
    assert contents(out) == {}


def test_a_model_without_its_manifest_is_rejected(
    command: Command, folder: Path, out: Path, models: Path
) -> None:
    (models / "manifest.json").unlink()
    refused = command("-i", folder, "-o", out, "--model", models / "gender_int8.tflite")
    assert refused.returncode == 2
    assert "manifest.json: the manifest cannot be read" in error_line(refused)


def test_a_manifest_of_another_version_is_rejected(
    command: Command, folder: Path, out: Path, models: Path
) -> None:
    path = models / "manifest.json"
    path.write_text(path.read_text().replace('"manifest_version": 2', '"manifest_version": 99'))
    refused = command("-i", folder, "-o", out, "--model", models / "gender_int8.tflite")
    assert refused.returncode == 2
    assert "manifest version 99 is not supported (expected 2)" in error_line(refused)


@pytest.mark.parametrize(
    ("name", "runtime"), [("gender_int8.onnx", "tflite"), ("gender_int8.tflite", "onnx")]
)
def test_a_model_for_another_runtime_is_rejected(
    name: str, runtime: str, command: Command, folder: Path, out: Path, models: Path
) -> None:
    refused = command("-i", folder, "-o", out, "--model", models / name, "--runtime", runtime)
    assert refused.returncode == 2
    assert "--runtime" in error_line(refused)


def without(folder: Path, *modules: str) -> dict[str, str]:
    """Returns environment variables under which importing the modules fails."""
    for module in modules:
        (folder / f"{module}.py").write_text(f"raise ImportError('no {module} here')\n")
    return {"PYTHONPATH": str(folder)}


def test_without_litert_auto_selects_onnx_runtime_and_warns_once(
    process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    env = without(tmp_path, "ai_edge_litert", "tflite_runtime")
    reported = process("-i", folder, "-o", out, "--workers", 3, *LIKELIER, env=env)
    assert reported.returncode == 0
    assert reported.stderr.count("\n") == 1
    assert "tflite" in reported.stderr and "onnx" in reported.stderr
    assert b'gender="female"' in (out / "astronaut.xml").read_bytes()
    quiet = process("-i", folder, "-o", out, "--quiet", env=env)
    assert (quiet.returncode, quiet.stderr) == (0, "")


@pytest.mark.parametrize("runtime", ["auto", "tflite", "onnx"])
def test_without_a_runtime_the_command_says_what_to_install(
    runtime: str, process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    env = without(tmp_path, "ai_edge_litert", "tflite_runtime", "onnxruntime")
    refused = process("-i", folder, "-o", out, "--runtime", runtime, env=env)
    assert refused.returncode == 2
    packages = {"tflite": "ai-edge-litert", "onnx": "onnxruntime"}
    wanted = packages.values() if runtime == "auto" else (packages[runtime],)
    for package in wanted:
        assert f"pip install {package}" in error_line(refused)


def test_without_opencv_the_command_says_what_to_install(
    process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    refused = process("-i", folder, "-o", out, env=without(tmp_path, "cv2"))
    assert refused.returncode == 2
    assert "no cv2 here" in error_line(refused)
    assert f"{sys.executable} -m {REPAIRED} 'opencv-python-headless<5'" in refused.stderr


def test_without_numpy_the_command_says_what_to_install(
    process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError('gone', name='numpy')\n")
    refused = process("-i", folder, "-o", out, env={"PYTHONPATH": str(tmp_path)})
    assert refused.returncode == 2
    assert error_line(refused).endswith(f"{REPAIRED} 'numpy<3'\n")


# Like the real one but for what OpenCV 5 lacks, or what is left where two packages shared a folder.
OPENCV_5 = """
import importlib.machinery, sys
sys.path.remove({folder!r})
del sys.modules["cv2"]
import cv2
cv2.__version__ = "5.0.0"
del cv2.CascadeClassifier
"""
WRONG_OPENCV = {"OpenCV 5.0.0": OPENCV_5, "of unknown version": "\n"}


@pytest.mark.parametrize("options", [(), ("--resume",), ("--detector", "none"), ("--watch",)])
@pytest.mark.parametrize("which", WRONG_OPENCV)
def test_an_unusable_opencv_changes_no_file(
    which: str, options: tuple[str, ...], command: Command, process: Command, folder: Path,
    out: Path, tmp_path: Path,
) -> None:  # fmt: skip
    tables = () if "--watch" in options else ("--csv", out / "t.csv", "--jsonl", out / "t.jsonl")
    assert command("-i", folder, "-o", out, *tables).returncode == 0
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}
    (tmp_path / "cv2.py").write_text(WRONG_OPENCV[which].format(folder=str(tmp_path)))
    env = {"PYTHONPATH": str(tmp_path)}
    refused = process("-i", folder, "-o", out, *tables, *options, env=env)
    assert refused.returncode == 2
    assert which in error_line(refused)
    assert "has no CascadeClassifier" in refused.stderr
    assert refused.stderr.endswith(f"{REPAIRED} 'opencv-python-headless<5'\n")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()} == before

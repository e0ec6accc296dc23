"""The libraries that inference imports; contracts in pyproject.toml cover the own modules."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

INFER = Path(__file__).resolve().parents[2] / "infer"
# Besides these, plugins.py loads Pillow's plugins and pillow_heif by their names.
ALLOWED = {
    "ai_edge_litert", "cv2", "image_gender_classifier", "numpy", "onnxruntime", "PIL",
    "fsspec", "pyarrow", "ray", "tflite_runtime", "tqdm",
}  # fmt: skip
NOT_LOADED = {
    "tensorflow", "keras", "tf2onnx", "onnx", "matplotlib", "onnxruntime", "PIL", "pillow_heif",
    "pyarrow", "ray",
}  # fmt: skip

# Python runs this at its start, also in workers. It opens the file for each import, because workers
# close inherited files.
RECORD_IMPORTS = """
import os, sys
def record(event, arguments):
    if event == "import":
        file = os.open({folder!r} + f"/{{os.getpid()}}", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.write(file, arguments[0].encode() + b"\\n")
        os.close(file)
sys.addaudithook(record)
"""


def test_infer_imports_no_further_library() -> None:
    names = set()
    for path in INFER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
    libraries = {name.partition(".")[0] for name in names}
    assert libraries - sys.stdlib_module_names <= ALLOWED


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where each Python process writes the modules that it imports, one file each."""
    site, folder = tmp_path / "site", tmp_path / "recorded"
    for each in (site, folder):
        each.mkdir()
    (site / "sitecustomize.py").write_text(RECORD_IMPORTS.format(folder=str(folder)))
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    return folder


def test_command_and_workers_load_only_what_they_need(
    samples: Path, recorded: Path, tmp_path: Path
) -> None:
    pictures, output = tmp_path / "pictures", tmp_path / "xml"
    output.mkdir()
    shutil.copytree(samples, pictures)
    with Image.open(samples / "cat.jpg") as cat:
        cat.save(pictures / "cat.png")
        cat.save(pictures / "cat.webp")
    modules_loaded_by("-i", str(pictures), "-o", str(output), "--quiet")
    processes = [set(path.read_text().split()) for path in recorded.iterdir()]
    assert len(processes) > 1
    loaded = set().union(*processes)
    assert "cv2" in loaded
    assert not loaded & NOT_LOADED


def test_a_bitmap_loads_pillow(samples: Path, recorded: Path, tmp_path: Path) -> None:
    pictures, output = tmp_path / "pictures", tmp_path / "xml"
    for folder in (pictures, output):
        folder.mkdir()
    with Image.open(samples / "cat.jpg") as cat:
        cat.save(pictures / "cat.bmp")
    modules_loaded_by("-i", str(pictures), "-o", str(output), "--quiet")
    loaded = set().union(*(set(path.read_text().split()) for path in recorded.iterdir()))
    assert "PIL.Image" in loaded


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_neither_numpy_nor_opencv(option: str) -> None:
    assert not modules_loaded_by(option) & {"numpy", "cv2", "ai_edge_litert"}


def modules_loaded_by(*arguments: str) -> set[str]:
    """Returns the loaded modules after a successful run of the command."""
    program = (
        "import sys; from image_gender_classifier.cli import program\n"
        "try: code = program.main(sys.argv[1:])\n"
        "except SystemExit as done: code = done.code\n"
        "print(*sys.modules, sep='\\n')\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())

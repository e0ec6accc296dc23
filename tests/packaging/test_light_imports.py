"""The libraries that inference imports; contracts in pyproject.toml cover the own modules."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

INFER = Path(__file__).resolve().parents[2] / "infer"
# Pillow is optional: gif.py uses it if it is installed.
ALLOWED = {
    "ai_edge_litert", "cv2", "image_gender_classifier", "numpy", "onnxruntime", "PIL",
    "tflite_runtime", "tqdm",
}  # fmt: skip
NOT_LOADED = {"tensorflow", "keras", "tf2onnx", "onnx", "matplotlib", "PIL", "onnxruntime"}

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


def test_command_and_workers_load_only_what_they_need(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, site, recorded = tmp_path / "xml", tmp_path / "site", tmp_path / "recorded"
    for folder in (output, site, recorded):
        folder.mkdir()
    (site / "sitecustomize.py").write_text(RECORD_IMPORTS.format(folder=str(recorded)))
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    modules_loaded_by("-i", str(samples), "-o", str(output), "--quiet")
    processes = [set(path.read_text().split()) for path in recorded.iterdir()]
    assert len(processes) > 1
    loaded = set().union(*processes)
    assert "cv2" in loaded
    assert not loaded & NOT_LOADED


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

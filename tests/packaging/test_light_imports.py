"""What infer/ imports: the belt to the braces of the import contracts in pyproject.toml."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
INFER = ROOT / "infer"
MODULES = sorted(path.relative_to(INFER).as_posix() for path in INFER.rglob("*.py"))
# Pillow is not required: gif.py takes it where it happens to be installed.
ALLOWED = {
    "ai_edge_litert", "cv2", "image_gender_classifier", "numpy", "onnxruntime", "PIL",
    "tflite_runtime", "tqdm",
}  # fmt: skip
HEAVY = ("tensorflow", "keras", "tf2onnx", "onnx", "matplotlib", "PIL", "onnxruntime")

# Python runs this at its start. A worker may end without a last word, and closes the files that it
# has from the command, so each import is noted by itself.
NOTES_IMPORTS = """
import os, sys
def note(event, about):
    if event == "import":
        file = os.open({folder!r} + f"/{{os.getpid()}}", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.write(file, about[0].encode() + b"\\n")
        os.close(file)
sys.addaudithook(note)
"""


def imported(tree: ast.AST) -> Iterator[str]:
    """Names every module that a source file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", MODULES)
def test_infer_imports_light_libraries_only(module: str) -> None:
    names = set(imported(ast.parse((INFER / module).read_text("utf-8"))))
    libraries = {name.partition(".")[0] for name in names}
    assert libraries - sys.stdlib_module_names <= ALLOWED
    neighbours = re.compile(r"image_gender_classifier\.(train|convert)(\.|$)")
    assert not [name for name in names if neighbours.match(name)]


def test_running_the_command_loads_no_workstation_library(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the command's own process nor in its workers'."""
    predictions, site, seen = tmp_path / "verdicts", tmp_path / "site", tmp_path / "seen"
    for folder in (predictions, site, seen):
        folder.mkdir()
    (site / "sitecustomize.py").write_text(NOTES_IMPORTS.format(folder=str(seen)))
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    modules_loaded_by("-i", str(samples), "-o", str(predictions), "--quiet")
    processes = [set(path.read_text().split()) for path in seen.iterdir()]
    assert len(processes) > 1
    loaded = set().union(*processes)
    assert "cv2" in loaded
    assert not loaded.intersection(HEAVY)
    assert not loaded.intersection(
        {"image_gender_classifier.train", "image_gender_classifier.convert"}
    )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_neither_numpy_nor_opencv(option: str) -> None:
    assert not modules_loaded_by(option).intersection({"numpy", "cv2", "ai_edge_litert"})


def modules_loaded_by(*arguments: str) -> set[str]:
    """Names the modules in memory after a successful run of the command."""
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

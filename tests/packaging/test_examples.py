"""Every Python example of the README and the documentation runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"""["']([\w./-]+\.(?:jpe?g|png|webp))["']""")
_FOLDER = re.compile(r"""(?:classify_folder|Path)\(\s*["']([\w/-]+)["']""")

EXAMPLES = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(_BLOCK.findall(page.read_text("utf-8")))
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_runs(example: str, face_picture: Path, tmp_path: Path) -> None:
    names = _PICTURE.findall(example)
    names += [f"{folder}/astronaut.jpg" for folder in _FOLDER.findall(example)]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(face_picture, tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

"""Manual pages and shell completions: what is committed is what the parsers say."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARE = ROOT / "docs" / "share"
GENERATOR = SHARE / "generate.py"
FILES = sorted(
    path.relative_to(SHARE).as_posix()
    for path in SHARE.rglob("*")
    if path.is_file() and path != GENERATOR and path.suffix != ".pyc"
)
COMMANDS = ("image-gender-classifier", "image-gender-ray", "image-gender-review")


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def test_the_files_are_those_of_the_parsers(tmp_path: Path) -> None:
    for library in ("shtab", "argparse_manpage"):
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    subprocess.run([sys.executable, str(GENERATOR), str(tmp_path)], check=True)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in made) == FILES
    for path in made:
        committed = SHARE / path.relative_to(tmp_path)
        assert path.read_text("utf-8") == committed.read_text("utf-8"), "run make share"


def test_each_file_is_installed() -> None:
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    for file in FILES:
        folder = f"share/{file.rpartition('/')[0]}"
        assert any(fnmatch(f"docs/share/{file}", each) for each in settings["data-files"][folder])
    assert len(FILES) == 4 * len(COMMANDS)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("--rows", ""), ["pictures", "faces"]),
        (("--progress", "j"), ["json"]),
        (("--summ",), ["--summary"]),
        (("a.jpg", "docs/samp"), ["docs/samples"]),
        (("-i", "docs/samp"), ["docs/samples"]),
    ],
)
def test_bash_completes_options_choices_and_paths(
    words: tuple[str, ...], offered: list[str]
) -> None:
    script = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_shtab_image_gender_classifier 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    file = SHARE / "bash-completion" / "completions" / COMMANDS[0]
    arguments = [tool("bash"), "-c", script, "bash", str(file), COMMANDS[0], *words]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == offered


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("shell", "file"),
    [("zsh", "zsh/site-functions/_{}"), ("fish", "fish/vendor_completions.d/{}.fish")],
)
def test_other_shells_can_read_their_completions(shell: str, file: str, name: str) -> None:
    subprocess.run([tool(shell), "-n", str(SHARE / file.format(name))], check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_manual_pages_are_clean(name: str) -> None:
    page = SHARE / "man" / "man1" / f"{name}.1"
    done = subprocess.run(
        [tool("groff"), "-man", "-Tutf8", "-ww", str(page)], capture_output=True, check=True
    )
    assert done.stderr == b""
    shown = re.sub(b".\x08", b"", done.stdout)  # groff prints bold letters twice
    for heading in (b"SYNOPSIS", b"EXAMPLES", b"EXIT STATUS"):
        assert heading in shown

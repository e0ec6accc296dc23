"""Finding Pythons on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pi.errors import CannotRun
from pi.pythons import find_or_fetch, search_path


def test_pyenvs_pythons_come_after_the_path(tmp_path: Path) -> None:
    for version in ("3.10.13", "3.9.1"):
        (tmp_path / "versions" / version / "bin").mkdir(parents=True)
    (tmp_path / "versions" / "3.8.0").mkdir()
    found = search_path({"PATH": "/usr/bin:/bin", "PYENV_ROOT": str(tmp_path)})
    versions = tmp_path / "versions"
    assert found == f"/usr/bin:/bin:{versions}/3.10.13/bin:{versions}/3.9.1/bin"


def test_without_pyenv_the_path_is_as_it_was(tmp_path: Path) -> None:
    assert search_path({"PATH": "/bin", "PYENV_ROOT": str(tmp_path / "none")}) == "/bin"


def test_a_python_that_uv_finds_is_taken(tmp_path: Path) -> None:
    uv = program(tmp_path, f'test "$2" = find && echo "{sys.executable}"')
    assert find_or_fetch(uv, "3.12", tmp_path) == Path(sys.executable)


def test_a_python_that_is_not_here_is_fetched(tmp_path: Path) -> None:
    here = tmp_path / "pythons" / "here"
    uv = program(
        tmp_path,
        f'here="{here}"\n'
        'if [ "$2" = install ]; then mkdir -p "$UV_PYTHON_INSTALL_DIR"; echo > "$here"; exit; fi\n'
        'test -e "$here" && echo /fetched/python',
    )
    assert find_or_fetch(uv, "3.12", tmp_path) == Path("/fetched/python")


def test_a_python_that_cannot_be_fetched_is_told(tmp_path: Path) -> None:
    uv = program(tmp_path, "echo first >&2; echo no network >&2; exit 1")
    with pytest.raises(CannotRun, match=r"Python 3\.12 is not here.*: no network$"):
        find_or_fetch(uv, "3.12", tmp_path)


def program(folder: Path, lines: str) -> Path:
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    assert os.access(path, os.X_OK)
    return path

"""Pythons of this machine: those that are here, found by uv, which fetches the others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pi.commands import run
from pi.errors import CannotRun, Failed


def find_or_fetch(uv: Path, version: str, cache: Path) -> Path:
    """Finds a Python on this machine, or fetches one.

    Args:
        uv: The program.
        version: As `3.12`.
        cache: Folder that keeps what is fetched.

    Raises:
        CannotRun: It is not here and cannot be fetched.
    """
    settings = {
        "PATH": search_path(os.environ),
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_PYTHON_INSTALL_DIR": str(cache / "pythons"),
    }
    find: list[str | Path] = [uv, "python", "find", "--system", "--no-project", version]
    try:
        return Path(run(find, settings).strip())
    except Failed:
        pass
    try:
        run([uv, "python", "install", "--no-bin", version], settings)
    except Failed as failure:
        why = str(failure).strip().splitlines()[-1].strip()
        raise CannotRun(f"Python {version} is not here, and uv cannot fetch it: {why}") from None
    return Path(run(find, settings).strip())


def search_path(environment: Mapping[str, str]) -> str:
    """Where to look for programs: also where pyenv keeps the Pythons that are not its chosen one.

    uv looks along the path alone, and pyenv puts stand-ins there that refuse all other versions.
    """
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    kept = sorted(str(folder) for folder in pyenv.glob("versions/*/bin"))
    return os.pathsep.join([environment.get("PATH", os.defpath), *kept])

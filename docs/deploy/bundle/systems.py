"""Systems that bundles are made for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class System:
    """A Debian release on one architecture; Raspberry Pi OS consists of the same packages.

    Attributes:
        release: Debian's name of the release, such as `bookworm`.
        architecture: Debian's name of the architecture, such as `arm64`.
        python: Version of its Python, such as `3.11`.
        machine: Python's name of the architecture.
        glibc: Minor version of its C library, which decides which wheels fit.
        packages: Debian packages to install where PyPI has no wheels.
        requirements: Wheels to install without their dependencies besides those packages; None
            for the project's wheel with all its dependencies.
    """

    release: str
    architecture: str
    python: str
    machine: str
    glibc: int
    packages: tuple[str, ...] = ()
    requirements: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Release and architecture."""
        return f"{self.release}-{self.architecture}"


BOARDS = (
    System("bookworm", "arm64", "3.11", "aarch64", 36),
    System("trixie", "arm64", "3.13", "aarch64", 41),
    System(
        "bookworm", "armhf", "3.11", "armv7l", 36,
        ("python3-numpy", "python3-opencv", "python3-pil", "python3-tqdm"), ("tflite-runtime",),
    ),
)  # fmt: skip


def default_cache() -> Path:
    """The folder that keeps downloads by default."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "image-gender-classifier" / "pi"

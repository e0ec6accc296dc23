"""Describes the machine and the library versions that figures were measured with."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.setting import cores

_LIBRARIES = (
    "image-gender-classifier", "numpy", "opencv-python-headless", "ai-edge-litert", "onnxruntime",
)  # fmt: skip
_BUSY = 0.3  # load average per core


def facts() -> dict[str, object]:
    """Returns date, processor, cores, load average and versions."""
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
    }


def heading(facts: dict[str, object]) -> str:
    """Formats the facts, with a warning if the machine was busy before the first benchmark."""
    busy = float(str(facts["load"])) > _BUSY * cores()
    warning = "\nBUSY: times are disturbed; compare the ratios only" if busy else ""
    return ", ".join(f"{name} {value}" for name, value in facts.items()) + warning


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    return platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"

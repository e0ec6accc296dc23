"""What the figures were measured on, as far as it helps to read them."""

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
_BUSY = 0.3  # waiting or running programs a core, before anything was measured


def facts() -> dict[str, object]:
    """Names processor, cores, versions and how busy the machine was before the first figure."""
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": cores(),
        "load": round(_load(), 2),
        "python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
    }


def heading(known: dict[str, object]) -> list[str]:
    """The lines above the table."""
    reported = [f"{name} {value}" for name, value in known.items() if name not in ("date", "load")]
    first = ", ".join(reported)
    load = float(str(known["load"]))
    if load > _BUSY * cores():
        return [first, f"BUSY: load {load} before the start; times are disturbed, read the ratios"]
    return [first]


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    return platform.machine()


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"

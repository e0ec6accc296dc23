"""Checks at start that the installed OpenCV is one that this package can use.

OpenCV 5, which `pip install opencv-python` brings, has no CascadeClassifier. Two OpenCV packages
share one folder: where both were installed, and one removed, the rest may have no function at all.
Either would show at the first picture only, as an error of that picture.
"""

from __future__ import annotations

import shlex
import sys

from image_gender_classifier.errors import RuntimeMissing

NEEDED = (
    "CascadeClassifier", "FileStorage", "add", "bitwise_not", "convertScaleAbs", "cvtColor",
    "dilate", "extractChannel", "flip", "getTextSize", "imdecode", "imencode", "merge", "multiply",
    "putText", "rectangle", "resize", "setNumThreads", "transpose", "warpAffine",
)  # fmt: skip
"""Every class and function of OpenCV that this package calls."""

_SHOWN = 2  # missing names in the message


def check() -> None:
    """Checks that OpenCV can be loaded and has all that is needed, whatever the detector.

    Raises:
        RuntimeMissing: It cannot, or has not; the message has a command that repairs it.
    """
    try:
        import cv2
        import numpy as np
    except Exception as error:  # a mixture of two OpenCV packages fails in many ways
        name = getattr(error, "name", None) or "OpenCV"
        packages = ["numpy<3"] if "numpy" in f"{name} {error}" else []
        packages += [] if name == "numpy" else ["opencv-python-headless<5"]
        why = " ".join(str(error).split())
        raise RuntimeMissing(f"{name} cannot be loaded ({why}); {_repair(packages)}") from None
    missing = [name for name in NEEDED if not hasattr(cv2, name)]
    if missing:
        version = getattr(cv2, "__version__", "of unknown version")
        lacks = ", ".join(missing[:_SHOWN])
        if len(missing) > _SHOWN:
            lacks += f" and {len(missing) - _SHOWN} more"
        # From 4.12 on OpenCV wants NumPy 2, which tflite-runtime does not take.
        below = "4.12" if np.__version__.startswith("1.") else "5"
        raise RuntimeMissing(
            f"OpenCV {version} cannot be used, it has no {lacks}; "
            f"{_repair([f'opencv-python-headless<{below}'])}"
        )


def _repair(packages: list[str]) -> str:
    """The command for this very Python; without the options pip may find nothing to do."""
    python = shlex.quote(sys.executable or "python3")
    names = " ".join(map(shlex.quote, packages))
    return f"run: {python} -m pip install --force-reinstall --no-deps {names}"

"""Checks at start that the installed OpenCV has all functions that this package calls.

OpenCV 5, which `pip install opencv-python` installs, has no CascadeClassifier. All OpenCV packages
install into the same folder, so removing one may leave another incomplete. Without the check, the
first picture would fail with an unclear error.
"""

from __future__ import annotations

import shlex
import sys

from image_gender_classifier.errors import RuntimeMissing

NEEDED = (
    "CascadeClassifier", "FileStorage", "bitwise_not", "convertScaleAbs", "copyMakeBorder",
    "cvtColor", "dilate", "extractChannel", "flip", "getStructuringElement", "getTextSize",
    "imdecode", "imencode", "merge", "multiply", "putText", "rectangle", "resize", "rotate",
    "setNumThreads", "transpose", "warpAffine",
)  # fmt: skip
"""All classes and functions of OpenCV that this package calls."""

_SHOWN = 2  # names in the message


def check_opencv() -> None:
    """Imports OpenCV and checks that it has all functions in `NEEDED`.

    Raises:
        RuntimeMissing: OpenCV or NumPy cannot be loaded, or OpenCV lacks functions; the message has
            the pip command that repairs it.
    """
    try:
        import cv2
        import numpy as np
    except Exception as error:  # mixed OpenCV packages raise many types
        name = getattr(error, "name", None) or "OpenCV"
        packages = ["numpy<3"] if "numpy" in f"{name} {error}" else []
        packages += [] if name == "numpy" else ["opencv-python-headless<5"]
        why = " ".join(str(error).split())
        raise RuntimeMissing(
            f"{name} cannot be loaded ({why}); {_format_pip_command(packages)}"
        ) from None
    missing = [name for name in NEEDED if not hasattr(cv2, name)]
    if missing:
        version = getattr(cv2, "__version__", "of unknown version")
        lacks = ", ".join(missing[:_SHOWN])
        if len(missing) > _SHOWN:
            lacks += f" and {len(missing) - _SHOWN} more"
        # OpenCV 4.12 requires NumPy 2, and tflite-runtime NumPy 1.
        below = "4.12" if np.__version__.startswith("1.") else "5"
        raise RuntimeMissing(
            f"OpenCV {version} cannot be used, because it has no {lacks}; "
            f"{_format_pip_command([f'opencv-python-headless<{below}'])}"
        )


def _format_pip_command(packages: list[str]) -> str:
    """Returns `run: ` and the pip command that reinstalls packages for this Python."""
    python = shlex.quote(sys.executable or "python3")
    names = " ".join(map(shlex.quote, packages))
    return f"run: {python} -m pip install --force-reinstall --no-deps {names}"

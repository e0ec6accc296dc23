"""The versions of the decoders: a file that one of them cannot decode may be readable by another.

This package's code counts as one: its limits and checks refuse files too. Only unreadable pictures
are compared by these versions, so nothing here runs at start-up. They are read from the packages'
sources: to import a decoder or `importlib.metadata` takes much longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from image_gender_classifier.manifest.cache_key import cache_key

# Package, and the file and the name of its version.
_SOURCES = (
    ("cv2", "version.py", "opencv_version"),
    ("PIL", "_version.py", "__version__"),
    ("pillow_heif", "_version.py", "__version__"),
)

FOLDER = Path(__file__).parent.parent
"""The folder of this package."""


@cache
def unreadable_key(settings: str) -> str:
    """Returns the cache key for unreadable pictures: also depends on the decoders' versions.

    That includes the code that reads pictures.

    Args:
        settings: The cache key for other pictures.
    """
    return cache_key(settings, *decoder_versions(), *_sources())


def _sources() -> Iterator[str]:
    """Yields the source code that decides which files are read."""
    for path in (FOLDER / "settings.py", *sorted((FOLDER / "imaging").glob("*.py"))):
        if path.is_file():  # some installations have compiled files only
            yield path.read_text("utf-8")


def decoder_versions() -> tuple[str, ...]:
    """Returns names and versions of OpenCV, Pillow and pillow-heif, such as `PIL 13.0.0`.

    The version of a missing package is `none`.
    """
    versions = dict(zip((source[0] for source in _SOURCES), map(_version, _SOURCES), strict=True))
    if versions["cv2"] == "unknown":  # a distribution's package is a library without sources
        import cv2

        versions["cv2"] = cv2.__version__
    return tuple(f"{package} {version}" for package, version in versions.items())


def _version(source: tuple[str, str, str]) -> str:
    package, file, name = source
    spec = PathFinder.find_spec(package)
    if spec is None or spec.origin is None:
        return "none"
    try:
        text = Path(spec.origin).with_name(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    found = re.search(rf"""^{name}\s*=\s*["']([^"']+)""", text, re.MULTILINE)
    return found[1] if found else "unknown"

"""The cache key of unreadable pictures, which depends on the versions of the decoders.

A new version of a decoder may read a file that the old one could not, so `--resume` tries it again.
The source code of this folder is part of the key, because it rejects files too. Only unreadable
pictures have this key, so this module does no work at start-up. The versions are read from the
source code of the packages, because importing a decoder or `importlib.metadata` takes much longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from image_gender_classifier.manifest.cache_key import cache_key

# Package, the file that has its version, and the name of the variable.
_SOURCES = (
    ("cv2", "version.py", "opencv_version"),
    ("PIL", "_version.py", "__version__"),
    ("pillow_heif", "_version.py", "__version__"),
)

FOLDER = Path(__file__).parent.parent
"""The folder of the package image_gender_classifier."""


@cache
def unreadable_key(settings: str) -> str:
    """Returns the cache key of unreadable pictures (SHA-256, hexadecimal).

    Args:
        settings: The cache key of other pictures (`Parts.cache_key`), or an empty string for a key
            that `--resume` never accepts.
    """
    return cache_key(settings, *decoder_versions(), *_read_sources())


def _read_sources() -> Iterator[str]:
    """Yields the source code that decides which files are rejected, as far as it is installed."""
    for path in (FOLDER / "settings.py", *sorted((FOLDER / "imaging").glob("*.py"))):
        if path.is_file():  # some installations have compiled files only
            yield path.read_text("utf-8")


def decoder_versions() -> tuple[str, ...]:
    """Returns the package names and versions of OpenCV, Pillow and pillow-heif.

    Each is a text such as `PIL 13.0.0`; `PIL none` if the package is missing, and `PIL unknown` if
    its version cannot be read.
    """
    versions = dict(
        zip((source[0] for source in _SOURCES), map(_read_version, _SOURCES), strict=True)
    )
    if versions["cv2"] == "unknown":  # Linux distributions install it without version.py
        import cv2

        versions["cv2"] = cv2.__version__
    return tuple(f"{package} {version}" for package, version in versions.items())


def _read_version(source: tuple[str, str, str]) -> str:
    """Returns the version of a package.

    Args:
        source: An item of `_SOURCES`.

    Returns:
        The version; `none` if the package is not installed, `unknown` if its version cannot be
        read.
    """
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

"""The versions of the decoders: a file that one of them cannot decode may be readable by another.

Only unreadable pictures are compared by these versions, so nothing here runs at start-up.
"""

from __future__ import annotations

from functools import cache

from image_gender_classifier.manifest.cache_key import cache_key

_PACKAGES = (
    *("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless"),
    *("opencv-contrib-python", "pillow", "pillow-heif"),
)


@cache
def unreadable_key(settings: str) -> str:
    """Returns the cache key for unreadable pictures: also depends on the decoders' versions.

    Args:
        settings: The cache key for other pictures.
    """
    return cache_key(settings, *_versions())


def _versions() -> tuple[str | None, ...]:
    from importlib.metadata import PackageNotFoundError, version  # late import: takes milliseconds

    def installed(package: str) -> str | None:
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    versions = tuple(map(installed, _PACKAGES))
    if any(versions[:-2]):
        return versions
    import cv2  # a distribution's package has no metadata

    return (*versions, cv2.__version__)

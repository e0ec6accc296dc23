"""Writes JPEG copies of another size: `enlarge FOLDER WIDTH HEIGHT [--progressive] PICTURE...`.

If WIDTH equals HEIGHT, it is the longest side and the shape is kept; otherwise the copy has exactly
this size. Prints the paths as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2

_QUALITY = 90


def enlarged(source: str, width: int, height: int, progressive: bool = False) -> bytes:
    """Returns a picture as a JPEG of another size.

    Args:
        source: The picture file.
        width: Width in pixels, or the longest side if `height` is the same.
        height: Height in pixels.
        progressive: Write a progressive JPEG.
    """
    pixels = cv2.imread(source, cv2.IMREAD_COLOR)
    if pixels is None:
        sys.exit(f"{source} is not a picture")
    size = (width, height)
    if width == height:
        scale = width / max(pixels.shape[:2])
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    smooth = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_CUBIC
    resized = cv2.resize(pixels, size, interpolation=smooth)
    form = cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)
    return cv2.imencode(".jpg", resized, form)[1].tobytes()


def main() -> None:
    """Writes the pictures."""
    folder, width, height = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    sources, paths = sys.argv[4:], []
    if progressive := "--progressive" in sources:
        sources.remove("--progressive")
    for i, source in enumerate(sources):
        path = folder / f"{i:04d}.jpg"
        path.write_bytes(enlarged(source, width, height, progressive))
        paths.append(str(path))
    json.dump(paths, sys.stdout)


if __name__ == "__main__":
    main()

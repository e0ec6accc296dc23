"""Decodes every picture of a folder and searches it for a face: `lbp_loop FOLDER CASCADE`.

The search is `lbp160`: the LBP cascade on a grey copy of at most 160 pixels, scale factor 1.1,
smallest face 15 %. Decoding is in colour, since a judge of faces needs it. Prints the seconds of
processor time, without the start.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import cv2

_LONGEST_SIDE = 160
_SMALLEST_FACE = 0.15


def search(path: str, cascade: cv2.CascadeClassifier) -> int:
    """Counts the faces in one picture."""
    pixels = cv2.imread(path, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path}: no picture")
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    scale = _LONGEST_SIDE / max(height, width)
    if scale < 1:
        size = (round(width * scale), round(height * scale))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    smallest = round(min(grey.shape) * _SMALLEST_FACE)
    boxes = cascade.detectMultiScale(
        grey, scaleFactor=1.1, minNeighbors=3, minSize=(smallest, smallest)
    )
    return len(boxes)


def main() -> None:
    """Searches the folder."""
    folder, file = Path(sys.argv[1]), sys.argv[2]
    cv2.setNumThreads(1)
    cascade = cv2.CascadeClassifier(file)
    paths = sorted(map(str, folder.iterdir()))
    search(paths[0], cascade)
    started = time.process_time()
    for path in paths:
        search(path, cascade)
    json.dump(time.process_time() - started, sys.stdout)


if __name__ == "__main__":
    main()

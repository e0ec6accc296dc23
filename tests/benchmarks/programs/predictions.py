"""Whether decoding straight to a reduced size changes verdicts: `verdicts SIDE WORKERS PICTURE...`.

Each picture is enlarged in memory and judged twice: as the command does it, and from pixels that
are decoded at full size. Prints as JSON how many there are and how many have the same status and
gender both times.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
from enlarge import enlarged

from image_gender_classifier import pipeline
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import Parts, open_parts
from image_gender_classifier.settings import Settings

_own = threading.local()  # a thread's own models


def is_same(side: int, path: str) -> bool:
    """Tells whether both ways give the same status and gender."""
    parts = _parts()
    data = enlarged(path, side, side)
    # Below half the side nothing is reduced, while decoding or after it.
    full, reduced = decoding.decode(data, working_side=side), decoding.decode(data)
    assert max(full.pixels.shape) == side > max(reduced.pixels.shape)
    return _classified(full, parts) == _classified(reduced, parts)


def _classified(picture: Picture, parts: Parts) -> tuple[str, str]:
    prediction = pipeline.classify(picture, "", parts.detector, parts.classifier)
    return prediction.status, prediction.gender


def _parts() -> Parts:
    if not hasattr(_own, "parts"):
        _own.parts = open_parts(Settings())
    parts: Parts = _own.parts
    return parts


def main() -> None:
    """Judges the pictures."""
    side, workers, paths = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(workers) as pool:
        same = list(pool.map(partial(is_same, side), paths))
    json.dump((len(same), sum(same)), sys.stdout)


if __name__ == "__main__":
    main()

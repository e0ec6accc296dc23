"""Compares predictions of reduced and full-size decoding: `predictions SIDE WORKERS PICTURE...`.

Prints as JSON the number of pictures, and of those with the same status and gender both times.
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

_local = threading.local()  # each thread has its own models


def is_same(side: int, path: str) -> bool:
    """Tells whether both give the same status and gender for a picture enlarged to `side`."""
    if not hasattr(_local, "parts"):
        _local.parts = open_parts(Settings())
    data = enlarged(path, side, side)
    # Pictures are reduced only to more than half the working side, so never below `side`.
    full, reduced = decoding.decode(data, working_side=side), decoding.decode(data)
    assert max(full.pixels.shape) == side > max(reduced.pixels.shape)
    return answer(full, _local.parts) == answer(reduced, _local.parts)


def answer(picture: Picture, parts: Parts) -> tuple[str, str]:
    """Classifies a picture; returns status and gender."""
    prediction = pipeline.classify(picture, "", parts.detector, parts.classifier)
    return prediction.status, prediction.gender


def main() -> None:
    """Classifies the pictures."""
    side, workers, paths = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(workers) as pool:
        same = list(pool.map(partial(is_same, side), paths))
    json.dump((len(same), sum(same)), sys.stdout)


if __name__ == "__main__":
    main()

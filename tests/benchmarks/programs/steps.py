"""The steps of one picture, marked for an instruction counter: `steps PICTURE...`.

Calls `getppid` before and after each step, for instructions.py and pi/counting.py, and prints
`<picture number> <step>` for each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from image_gender_classifier import pipeline
from image_gender_classifier.detection import geometry
from image_gender_classifier.imaging import decoding, formats, headers
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import Parts, open_parts
from image_gender_classifier.manifest.cache_key import run_hash
from image_gender_classifier.outputs import xml
from image_gender_classifier.settings import Settings

Step = Callable[[], object]


def steps_of(path: Path, parts: Parts) -> dict[str, Step]:
    """Returns the steps by name; a picture without a face has fewer."""
    data = read_bytes(path)
    picture = decoding.decode(data)
    found = parts.detector.detect(picture)
    steps: dict[str, Step] = {
        "read file": lambda: read_bytes(path),
        "hash": lambda: run_hash(data, parts.cache_key),
        "read header": lambda: headers.read_header(data, formats.JPEG),
        "decode": lambda: decoding.decode(data),
        # A picture keeps its finer decodings, so this step needs a new one.
        "decode and detect": lambda: parts.detector.detect(decoding.decode(data)),
    }
    if not found:
        return steps
    main, *_ = geometry.sort_main_face_first(found, picture.width, picture.height)
    size = parts.classifier.crop_size

    def cut() -> Pixels:
        return pipeline.cut_face_crop(picture, main, parts.detector, size)

    crop = cut()[np.newaxis]
    prediction = pipeline.classify(picture, path.name, parts.detector, parts.classifier)
    written = replace(prediction, run=run_hash(data, parts.cache_key))
    return {
        **steps,
        "crop": cut,
        "classify": lambda: parts.classifier.classify(crop),
        "encode XML": lambda: xml.encode_prediction(written),
        "bytes to XML": lambda: xml.encode_prediction(
            pipeline.classify(decoding.decode(data), path.name, parts.detector, parts.classifier)
        ),
    }


def main() -> None:
    """Runs each step twice and marks the second time: the first does work that is not repeated."""
    cv2.setNumThreads(1)
    parts = open_parts(Settings())
    for number, path in enumerate(map(Path, sys.argv[1:])):
        for name, step in steps_of(path, parts).items():
            step()
            os.getppid()
            step()
            os.getppid()
            print(number, name)


if __name__ == "__main__":
    main()

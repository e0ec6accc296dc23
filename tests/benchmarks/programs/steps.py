"""A picture's way, step by step: `steps time REPEATS PICTURE...` or `steps count PICTURE...`.

`time` prints as JSON the milliseconds a picture of each step, on one thread. `count` is for
callgrind.py: it marks each step by a call of `getppid` before and behind it, and prints a line
`<number of the picture> <step>` for each. This is the one place of the benchmarks that knows the
rooms of the package.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from image_gender_classifier import manifest, pipeline
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.registry import open_detector
from image_gender_classifier.imaging import decoding, headers
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.loading import Parts, open_parts, shipped_models
from image_gender_classifier.manifest.cache_key import run_hash
from image_gender_classifier.outputs import xml
from image_gender_classifier.settings import Settings

Step = Callable[[], object]


def steps_of(path: Path, parts: Parts) -> dict[str, Step]:
    """The steps for one picture, each with what those before it gave; fewer without a face."""
    data = read_bytes(path)
    stored = np.frombuffer(data, np.uint8)
    picture = decoding.decode(data)
    found = parts.detector.detect(picture)
    quick = open_detector("lbp", manifest.load(shipped_models()), parts.runtime)

    def find() -> object:  # from new: a picture keeps what has been decoded finer
        return parts.detector.detect(decoding.decode(data))

    steps: dict[str, Step] = {
        "read file": lambda: read_bytes(path),
        "hash": lambda: run_hash(data, parts.settings),
        "read header": lambda: headers.read_header(data),
        "decode": lambda: decoding.decode(data),
        "search with LBP": lambda: quick.detect(picture),
        "decode and find": find,
        "decode at full size": lambda: cv2.imdecode(stored, cv2.IMREAD_COLOR),
    }
    if not found:
        return steps
    main, *_ = geometry.main_first(found, picture.width, picture.height)
    size = parts.classifier.crop_size

    def cut() -> geometry.Pixels:
        return pipeline.crop_of(picture, main, parts.detector, size)

    crop = cut()[np.newaxis]
    prediction = pipeline.classify(picture, path.name, parts.detector, parts.classifier)
    written = replace(prediction, run=run_hash(data, parts.settings))
    return {
        **steps,
        "cut": cut,
        "judge": lambda: parts.classifier.classify(crop),
        "XML bytes": lambda: xml.encode(written),
        "all but the files": lambda: xml.encode(
            pipeline.classify(decoding.decode(data), path.name, parts.detector, parts.classifier)
        ),
    }


def print_times(repeats: int, paths: list[Path], parts: Parts) -> None:
    """Prints the mean over the pictures of each step's fastest repeat."""
    fastest: dict[str, list[float]] = {}
    for path in paths:
        for name, step in steps_of(path, parts).items():
            fastest.setdefault(name, []).append(min(seconds(step) for _ in range(repeats)))
    json.dump({name: 1000 * sum(each) / len(each) for name, each in fastest.items()}, sys.stdout)


def seconds(step: Step) -> float:
    """Times one call by this thread's own clock, which stands still while others have the core."""
    started = time.thread_time()
    step()
    return time.thread_time() - started


def mark_steps(paths: list[Path], parts: Parts) -> None:
    """Runs each step once unmarked, so that nothing is done for the first time, once marked."""
    for number, path in enumerate(paths):
        for name, step in steps_of(path, parts).items():
            step()
            os.getppid()
            step()
            os.getppid()
            print(number, name)


def main() -> None:
    """Runs the steps."""
    how, *arguments = sys.argv[1:]
    cv2.setNumThreads(1)
    parts = open_parts(Settings())
    if how == "count":
        mark_steps([Path(name) for name in arguments], parts)
    else:
        print_times(int(arguments[0]), [Path(name) for name in arguments[1:]], parts)


if __name__ == "__main__":
    main()

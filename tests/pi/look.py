"""Asks an installed package about the network: runs on the system under test.

`look.py cut FOLDER FILE` writes the main face's crops of the pictures of a folder. `look.py CROPS
RUNTIME` prints as JSON the network's logits for such a file, and the versions in use.
"""

from __future__ import annotations

import json
import platform
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np

from image_gender_classifier import loading, pipeline
from image_gender_classifier.imaging import decoding
from image_gender_classifier.settings import Settings

_DISTRIBUTIONS = {"tflite": ("ai-edge-litert", "tflite-runtime"), "onnx": ("onnxruntime",)}


def cut(folder: Path, file: Path) -> None:
    """Writes the crops (uint8 RGB, N x S x S x 3) without a header."""
    parts = loading.open_parts(Settings(runtime="tflite"))
    with file.open("wb") as crops:
        for path in sorted(folder.iterdir()):
            size = parts.classifier.crop_size
            crop = pipeline.find_crop(decoding.read(path), parts.detector, size)
            if crop is not None:
                crops.write(crop.tobytes())


def logits(crops: Path, runtime: str) -> list[float]:
    """Returns the network's logit for each crop."""
    classifier = loading.open_classifier(None, runtime)
    size = classifier.crop_size
    pixels = np.fromfile(crops, np.uint8).reshape(-1, size, size, 3)
    return [float(logit) for logit in classifier.compute_logits(pixels)]


def versions(runtime: str) -> list[str]:
    """Returns names and versions of Python, the machine and the libraries."""
    found = [f"Python {platform.python_version()}", platform.machine()]
    found += [f"NumPy {np.__version__}", f"OpenCV {cv2.__version__}"]
    for name in _DISTRIBUTIONS[runtime]:
        with suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return found


if __name__ == "__main__":
    if sys.argv[1] == "cut":
        cut(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        crops, runtime = Path(sys.argv[1]), sys.argv[2]
        print(json.dumps({"logits": logits(crops, runtime), "versions": versions(runtime)}))

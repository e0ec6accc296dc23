"""Looks at an installed package: python look.py CROPS RUNTIME.

Runs on the system under test. Prints, as JSON, the network's answers for the crops, the hashes
of what the package carries, and the versions of what it runs on.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from contextlib import suppress
from importlib import metadata, resources
from pathlib import Path

import cv2
import numpy as np

from image_gender_classifier import loading

_RUNTIMES = {
    "tflite": ("ai-edge-litert", "tflite-runtime"),
    "onnx": ("onnxruntime",),
}


def logits(crops: Path, runtime: str) -> list[float]:
    """The network's answer for each crop of the file."""
    classifier = loading.open_classifier(None, runtime)
    size = classifier.crop_size
    pixels = np.fromfile(crops, np.uint8).reshape(-1, size, size, 3)
    return [float(logit) for logit in classifier.logits(pixels)]


def hashes() -> dict[str, str]:
    """SHA-256 of the XML schema and of all that lies beside the models."""
    package = Path(str(resources.files("image_gender_classifier")))
    paths = [package / "outputs" / "image.xsd", *sorted(loading.shipped_models().glob("*.*"))]
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.suffix != ".py"
    }


def versions(runtime: str) -> dict[str, str]:
    """What the package runs on."""
    found = {
        "Python": platform.python_version(),
        "machine": platform.machine(),
        "NumPy": np.__version__,
        "OpenCV": cv2.__version__,
    }
    for name in _RUNTIMES[runtime]:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


if __name__ == "__main__":
    said = {
        "hashes": hashes(),
        "logits": logits(Path(sys.argv[1]), sys.argv[2]),
        "versions": versions(sys.argv[2]),
    }
    print(json.dumps(said))

"""Cuts the main face's crop of each picture into one file: python cut_crops.py FOLDER FILE.

Runs where the package is installed, on the system that others are compared with. Prints, as
JSON, the quantisation step of the network's answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from image_gender_classifier import loading, pipeline
from image_gender_classifier.imaging import decoding
from image_gender_classifier.settings import Settings


def cut(folder: Path, file: Path) -> None:
    """Writes the crops (uint8 RGB, N x S x S x 3) without any header."""
    parts = loading.open_parts(Settings(runtime="tflite"))
    with file.open("wb") as crops:
        for path in sorted(folder.iterdir()):
            crop = pipeline.find_crop(
                decoding.read(path), parts.detector, parts.classifier.crop_size
            )
            if crop is not None:
                crops.write(crop.tobytes())


def quantisation_step() -> float:
    """The step of the int8 tensor that the answer, a float, is made of."""
    interpreter = Interpreter(str(loading.shipped_models() / f"{loading.SHIPPED_STEM}.tflite"))
    interpreter.allocate_tensors()
    (answer,) = interpreter.get_output_details()
    (step,) = {
        tensor["quantization"][0]
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] is np.int8 and tuple(tensor["shape"]) == tuple(answer["shape"])
    }
    return float(step)


if __name__ == "__main__":
    cut(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"step": quantisation_step()}))

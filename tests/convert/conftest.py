"""One model, trained on drawn faces, and its exports, shared by every test of the conversion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

from image_gender_classifier.convert import onnx, tflite
from image_gender_classifier.convert.crops import extend_to_count
from image_gender_classifier.detection.geometry import cut_crop, find_central_square
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.runtimes import Runtime, open_model
from image_gender_classifier.train.common import keras_runtime
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops


@dataclass(frozen=True)
class Exported:
    """One model in all its formats, as bytes and opened."""

    keras_path: Path
    tflite_file: bytes
    onnx_file: bytes
    keras: keras_runtime.KerasRuntime
    tflite: Runtime
    onnx: Runtime


@pytest.fixture(scope="session")
def drawn_crops(drawn_faces: Path) -> LabelledCrops:
    """Crops of all drawn faces at the network's size."""
    crops, female = [], []
    for path in sorted(drawn_faces.glob("*/*.png")):
        pixels = decoding.read(path).pixels
        crops.append(cut_crop(pixels, find_central_square(*pixels.shape[:2]), 96))
        female.append(path.parent.name == "female")
    return LabelledCrops(np.stack(crops), np.array(female))


@pytest.fixture(scope="session")
def exported(trained: Path, drawn_crops: LabelledCrops) -> Exported:
    path = trained / "gender.keras"
    model = keras_runtime.open_keras_model(path)
    tflite_file = tflite.quantise(model.model, drawn_crops.crops[::10])
    onnx_file = onnx.convert_tflite_to_onnx(tflite_file)
    return Exported(
        path,
        tflite_file,
        onnx_file,
        model,
        open_model("tflite", tflite_file),
        open_model("onnx", onnx_file),
    )


@pytest.fixture(scope="session")
def thousand_crops(drawn_crops: LabelledCrops) -> Pixels:
    """The drawn crops and augmented copies of them, 1,000 in all."""
    return extend_to_count(drawn_crops, 1000).crops


@pytest.fixture(scope="session")
def real_crops(shared: Path) -> Pixels:
    """The first 1,000 pictures of FairFace's validation part."""
    crops: list[Any] = []
    for path in sorted((shared / "fairface" / "val").glob("*.jpg"))[:1000]:
        pixels = decoding.read(path).pixels
        crops.append(cut_crop(pixels, find_central_square(*pixels.shape[:2]), 96))
    return np.stack(crops)

"""One model, trained on drawn faces, and its exports, shared by every test of the conversion."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crop_folders import FOLDERS

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")

from image_gender_classifier.convert import calibration_set, cli, gender, tflite
from image_gender_classifier.convert.crops import extend_to_count
from image_gender_classifier.detection.geometry import cut_crop, find_central_square
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.runtimes import Runtime, open_model
from image_gender_classifier.train.common import keras_runtime
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops


@dataclass(frozen=True)
class Exported:
    """One model in all its formats, as bytes and opened.

    Attributes:
        folder: The output folder of the command that converted it.
        printed: What that command printed.
        calibration: The crops that its quantiser took (uint8 RGB, N x 96 x 96 x 3).
    """

    folder: Path
    printed: str
    calibration: Pixels
    keras_path: Path
    tflite_file: bytes
    onnx_file: bytes
    keras: keras_runtime.KerasRuntime
    tflite: Runtime
    onnx: Runtime


@pytest.fixture(scope="session", autouse=True)
def quick_start(few_pictures_tried: None) -> None:
    """Every training and evaluation begins by detecting faces in some pictures."""


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
def exported(
    trained: Path, drawn_faces: Path, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    """The result of the command on the drawn faces, with few crops."""
    path, folder = trained / "gender.keras", tmp_path_factory.mktemp("converted")
    seen, quantise = [], tflite.quantise

    def watched(model: Any, crops: Pixels) -> bytes:
        seen.append(crops)
        return quantise(model, crops)

    options = ("--model", path, "--out", folder, "--data", drawn_faces, *FOLDERS)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.setattr(tflite, "quantise", watched)
        patch.setattr(gender, "MIN_VERIFICATION_CROPS", 60)
        patch.setattr(gender, "MIN_CALIBRATION_CROPS", 20)
        patch.setattr(
            calibration_set,
            "choose_calibration_samples",
            lambda samples: calibration_set.choose_balanced(samples, 20),
        )
        assert cli.main([str(option) for option in options]) == 0
    tflite_file = (folder / "gender_int8.tflite").read_bytes()
    onnx_file = (folder / "gender_int8.onnx").read_bytes()
    return Exported(
        folder,
        printed.getvalue(),
        seen[0],
        path,
        tflite_file,
        onnx_file,
        keras_runtime.open_keras_model(path),
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

"""The conversion task of the face detector network."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_gender_classifier import manifest
from image_gender_classifier.convert import verify_detector
from image_gender_classifier.convert.export import Task
from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.errors import ModelError, UnreadablePicture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.common import cutting, keras_runtime
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.data_options import read_data, training_split
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.split import divide
from image_gender_classifier.train.datasets import DataError, LeftOut
from image_gender_classifier.train.detector import backgrounds, scenes
from image_gender_classifier.train.detector.scenes import Scene, Sources

STEM = "face_detector_int8"
CALIBRATION_SCENES = 300
VERIFICATION_SCENES = 1000
_CROPS = 500  # crops that the scenes of either kind are composed of
_STORED_SIDE = 128  # of these crops, in pixels
_VERIFICATION_SIDE = 320  # of the scenes, in pixels; large enough for tiles
_HELD_OUT = 0.05


@dataclass(frozen=True, slots=True)
class DetectorData:
    """Scenes for one conversion.

    Attributes:
        calibration: Letterboxed scenes that set the quantisation ranges (uint8 RGB,
            N x S x S x 3).
        verification: Scenes to compare the formats on, from held-out crops and backgrounds.
    """

    calibration: Pixels
    verification: list[Scene]


def open_keras(path: Path) -> tuple[keras_runtime.KerasRuntime, FaceDetectorEntry]:
    """Opens a face detector that its manifest lists; gives it with its entry.

    Raises:
        ModelError: The model or its manifest is missing or damaged, or lists no such detector.
    """
    entry = manifest.load(path.parent).face_detectors.get(path.name)
    if entry is None:
        raise ModelError(
            f"{path}: its manifest does not list it as a face detector; train one with "
            "image-gender-train-detector"
        )
    manifest.read_verified(path.parent, entry)
    return keras_runtime.open_model(path), entry


def read_scenes(options: argparse.Namespace, size: int) -> DetectorData:
    """Composes the scenes for quantisation and, from held-out pictures, for verification.

    Args:
        options: The data options and `backgrounds`.
        size: Side of the network's input in pixels.

    Raises:
        DataError: There are too few crops or backgrounds, or labels or pictures are wrong.
        UsageError: The folder of backgrounds cannot be read.
    """
    samples = read_data(options, training_split(options.layout)).samples
    places = backgrounds.read_reported(options.backgrounds)
    cut = cutting.by(open_detector("none"))
    faces = divide([sample.name for sample in samples], _HELD_OUT)
    grounds = divide(places.names, _HELD_OUT)

    def compose(held_out: bool, count: int, longest: int, seed: int) -> list[Scene]:
        positions = faces.held_out if held_out else faces.training
        ground_positions = grounds.held_out if held_out else grounds.training
        crops, unreadable = [], []
        for position in positions[:_CROPS]:
            try:
                crop = cut(samples[position].path, _STORED_SIDE)
            except UnreadablePicture:
                unreadable.append(samples[position].name)
                continue
            if crop is not None:
                crops.append(crop)
        if unreadable:
            part = "held out" if held_out else "training"
            say(str(LeftOut(f"unreadable faces, {part}", tuple(unreadable))), sys.stdout)
        pictures = [places.pictures[position] for position in ground_positions]
        if not crops or not pictures:
            raise DataError("too few face crops or backgrounds to compose scenes")
        sources = Sources(np.stack(crops), range(len(crops)), pictures)
        return [
            scenes.draw(sources, longest, np.random.default_rng((seed, number)))
            for number in range(count)
        ]

    quantising = compose(False, CALIBRATION_SCENES, size, seed=7)
    return DetectorData(
        np.stack([letterbox(scene.pixels, size) for scene in quantising]),
        compose(True, VERIFICATION_SCENES, _VERIFICATION_SIDE, seed=8),
    )


def _keep_entry(original: FaceDetectorEntry, _: Runtime, __: DetectorData) -> FaceDetectorEntry:
    return original


TASK = Task(
    STEM,
    open_keras,
    read_scenes,
    _keep_entry,
    lambda exported, data: verify_detector.verify_scenes(
        exported, data.calibration, data.verification
    ),
)

"""The export task of the face detector network: its `.keras` file, scenes and verification."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_gender_classifier.convert import verify_detector
from image_gender_classifier.convert.export import Task
from image_gender_classifier.convert.keras_files import open_listed_keras
from image_gender_classifier.convert.resizable import make_resizable
from image_gender_classifier.convert.scene_sources import read_scene_sources
from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.common.keras_runtime import KerasRuntime
from image_gender_classifier.train.common.listed_networks import FACE_DETECTOR
from image_gender_classifier.train.detector import scenes
from image_gender_classifier.train.detector.scene import Scene, Sources

STEM = "face_detector_int8"
CALIBRATION_SCENES = 300
VERIFICATION_SCENES = 1000
_VERIFICATION_SIDE = 320  # longest side of the scenes in pixels; large enough for tiling


@dataclass(frozen=True, slots=True)
class DetectorData:
    """The calibration and verification scenes of a face detector.

    Attributes:
        calibration: Letterboxed scenes for the quantisation ranges (uint8 RGB, N x S x S x 3).
        verification: Scenes to compare the formats on, of held-out face crops and backgrounds.
    """

    calibration: Pixels
    verification: list[Scene]


def read_scenes(options: argparse.Namespace, size: int) -> DetectorData:
    """Composes the calibration scenes and, from held-out pictures, the verification scenes.

    Args:
        options: Parsed arguments of `add_data_options` and `add_backgrounds_option`.
        size: Side of the network's input in pixels.

    Returns:
        The scenes; deterministic.

    Raises:
        DataError, ModelError, UsageError: See `read_scene_sources`.
    """
    sources = read_scene_sources(options)

    def compose(sources: Sources, count: int, longest: int, seed: int) -> list[Scene]:
        return [
            scenes.draw(sources, longest, np.random.default_rng((seed, number)))
            for number in range(count)
        ]

    calibration = compose(sources.training, CALIBRATION_SCENES, size, seed=7)
    return DetectorData(
        np.stack([letterbox(scene.pixels, size) for scene in calibration]),
        compose(sources.held_out, VERIFICATION_SCENES, _VERIFICATION_SIDE, seed=8),
    )


def _open_resizable(path: Path) -> tuple[KerasRuntime, FaceDetectorEntry]:
    """Opens a `.keras` file as a network for inputs of any size; see `open_listed_keras`."""
    fixed, entry = open_listed_keras(path, FACE_DETECTOR)
    return KerasRuntime(make_resizable(fixed.model), entry.input_shape), entry


def _keep_entry(original: FaceDetectorEntry, _: Runtime, __: DetectorData) -> FaceDetectorEntry:
    """Returns the Keras model's manifest entry: a face detector's scores are not calibrated."""
    return original


TASK = Task(
    STEM,
    _open_resizable,
    read_scenes,
    _keep_entry,
    lambda exported, data: verify_detector.verify_scenes(
        exported, data.calibration, data.verification
    ),
)

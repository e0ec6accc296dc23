"""The export task of the face detector network: its `.keras` file, scenes and verification."""

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
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.data_options import read_data, training_split
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import split_names
from image_gender_classifier.train.datasets import DataError, SkippedItems
from image_gender_classifier.train.detector import backgrounds, scenes
from image_gender_classifier.train.detector.scenes import Scene, Sources

STEM = "face_detector_int8"
CALIBRATION_SCENES = 300
VERIFICATION_SCENES = 1000
_CROPS = 500  # face crops for calibration scenes, and as many for verification scenes
_CROP_SIDE = 128  # pixels
_VERIFICATION_SIDE = 320  # longest side of the scenes in pixels; large enough for tiling
_HELD_OUT = 0.05  # fraction of the faces and of the backgrounds


@dataclass(frozen=True, slots=True)
class DetectorData:
    """The calibration and verification scenes of a face detector.

    Attributes:
        calibration: Letterboxed scenes for the quantisation ranges (uint8 RGB, N x S x S x 3).
        verification: Scenes to compare the formats on, of held-out face crops and backgrounds.
    """

    calibration: Pixels
    verification: list[Scene]


def open_keras(path: Path) -> tuple[keras_runtime.KerasRuntime, FaceDetectorEntry]:
    """Opens a `.keras` face detector listed in the manifest of its folder.

    Returns:
        The runtime and the manifest entry.

    Raises:
        ModelError: The model or its manifest is missing or corrupt, the training did not finish, or
            the manifest does not list the model as a face detector.
    """
    check_run_finished(path)
    entry = manifest.load(path.parent).face_detectors.get(path.name)
    if entry is None:
        raise ModelError(
            f"{path}: manifest.json does not list this file as a face detector; use a model "
            "trained with image-gender-train-detector"
        )
    manifest.read_verified(path.parent, entry)
    return keras_runtime.open_keras_model(path), entry


def read_scenes(options: argparse.Namespace, size: int) -> DetectorData:
    """Composes the calibration scenes and, from held-out pictures, the verification scenes.

    Prints the names of unreadable pictures.

    Args:
        options: Parsed arguments of `add_data_options` and `add_backgrounds_option`.
        size: Side of the network's input in pixels.

    Returns:
        The scenes; deterministic.

    Raises:
        DataError: Labels or pictures are missing or invalid, or the training or held-out part
            contains no face crop or no background.
        ModelError: The manifest of the shipped models is missing or corrupt.
        UsageError: The backgrounds cannot be read, or the label options do not match `--layout`.
    """
    samples = read_data(options, training_split(options.layout)).samples
    scenery = backgrounds.read_backgrounds_and_report(options.backgrounds)
    cut = cutting.make_crop_cutter(open_detector("none"))
    faces = split_names([sample.name for sample in samples], _HELD_OUT)
    scenery_split = split_names(scenery.names, _HELD_OUT)

    def compose(held_out: bool, count: int, longest: int, seed: int) -> list[Scene]:
        positions = faces.held_out if held_out else faces.training
        scenery_positions = scenery_split.held_out if held_out else scenery_split.training
        crops, unreadable = [], []
        for position in positions[:_CROPS]:
            try:
                crop = cut(samples[position], _CROP_SIDE)
            except UnreadablePicture:
                unreadable.append(samples[position].name)
                continue
            if crop is not None:
                crops.append(crop)
        if unreadable:
            part = "held-out" if held_out else "training"
            print_line(
                str(SkippedItems(f"unreadable {part} pictures", tuple(unreadable))), sys.stdout
            )
        pictures = [scenery.pictures[position] for position in scenery_positions]
        if not crops or not pictures:
            part = "held-out" if held_out else "training"
            where = f"--backgrounds {options.backgrounds}" if crops else f"--data {options.data}"
            raise DataError(f"{where}: no readable {part} pictures for scenes; add pictures")
        sources = Sources(np.stack(crops), range(len(crops)), pictures)
        return [
            scenes.draw(sources, longest, np.random.default_rng((seed, number)))
            for number in range(count)
        ]

    calibration = compose(False, CALIBRATION_SCENES, size, seed=7)
    return DetectorData(
        np.stack([letterbox(scene.pixels, size) for scene in calibration]),
        compose(True, VERIFICATION_SCENES, _VERIFICATION_SIDE, seed=8),
    )


def _keep_entry(original: FaceDetectorEntry, _: Runtime, __: DetectorData) -> FaceDetectorEntry:
    """Returns the Keras model's manifest entry: a face detector's scores are not calibrated."""
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

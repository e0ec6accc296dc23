"""Faces and backgrounds for the scenes on which conversions are calibrated and verified."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.crops import FACE_SIDE
from image_gender_classifier.train.common.data_options import read_data, training_split
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.split import HELD_OUT_FRACTION, split_names
from image_gender_classifier.train.datasets import DataError, Sample, SkippedItems, backgrounds
from image_gender_classifier.train.detector.scene import Sources
from image_gender_classifier.train.detector.scene_sources import SceneSources

_CROPS = 500  # of each part


def read_scene_sources(options: argparse.Namespace) -> SceneSources:
    """Reads face crops and backgrounds. Prints the names of unreadable pictures.

    Args:
        options: Parsed arguments of `add_data_options` and `add_backgrounds_option`.

    Returns:
        At most 500 face crops of each part, and all backgrounds.

    Raises:
        DataError: Labels or pictures are missing or invalid, or the training or held-out part
            contains no face crop or no background.
        ModelError: The manifest of the shipped models is missing or corrupt.
        UsageError: The backgrounds cannot be read, or the label options do not match `--layout`.
    """
    samples = read_data(options, training_split(options.layout)).samples
    scenery = backgrounds.read_backgrounds_and_report(options.backgrounds)
    faces = split_names([sample.name for sample in samples], HELD_OUT_FRACTION)
    places = split_names(scenery.names, HELD_OUT_FRACTION)

    def make_sources(
        part: str, positions: Sequence[int], place_positions: Sequence[int]
    ) -> Sources:
        crops = _cut_crops([samples[position] for position in positions[:_CROPS]], part)
        pictures = [scenery.pictures[position] for position in place_positions]
        if not crops or not pictures:
            where = f"--backgrounds {options.backgrounds}" if crops else f"--data {options.data}"
            raise DataError(f"{where}: no readable {part} pictures for scenes; add pictures")
        return Sources(np.stack(crops), range(len(crops)), pictures)

    return SceneSources(
        make_sources("training", faces.training, places.training),
        make_sources("held-out", faces.held_out, places.held_out),
    )


def _cut_crops(samples: list[Sample], part: str) -> list[Pixels]:
    """Returns the crops of the samples that can be read."""
    cut = cutting.make_crop_cutter(open_detector("none"))
    skipped = cutting.SkippedSamples()
    found = cutting.iterate_crops(samples, cut, FACE_SIDE, skipped, f"{part} pictures")
    crops = [crop for _, crop in found]
    if skipped.unreadable:
        names = tuple(name for name, _ in skipped.unreadable)
        print_line(str(SkippedItems(f"unreadable {part} pictures", names)), sys.stdout)
    return crops

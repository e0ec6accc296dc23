"""The export task of the face refiner network: its `.keras` file, candidates and verification."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial

import numpy as np

from image_gender_classifier.convert import verify_refiner
from image_gender_classifier.convert.export import Task
from image_gender_classifier.convert.keras_files import open_listed_keras
from image_gender_classifier.convert.scene_sources import read_scene_sources
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import FaceRefinerEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.common.listed_networks import FACE_REFINER
from image_gender_classifier.train.refiner.candidates import Candidates, collect_candidates
from image_gender_classifier.train.refiner.labels import Label
from image_gender_classifier.train.refiner.search import open_search
from image_gender_classifier.train.refiner.used_networks import find_networks
from image_gender_classifier.train.refiner.views import Move, draw_view

STEM = "face_refiner_int8"
CALIBRATION_PICTURES = 60
VERIFICATION_PICTURES = 300
_CALIBRATION_STREAM, _VERIFICATION_STREAM = 9, 10  # random stream numbers


@dataclass(frozen=True, slots=True)
class RefinerData:
    """The calibration and verification candidates of a face refiner.

    Attributes:
        calibration: Views for the quantisation ranges (uint8 RGB, N x S x S x 3).
        verification: Views of candidates in held-out pictures, likewise.
        labels: What these show.
    """

    calibration: Pixels
    verification: Pixels
    labels: tuple[Label, ...]


def read_candidates(options: argparse.Namespace, size: int) -> RefinerData:
    """Collects candidates of the shipped face detector in training and in held-out pictures.

    Args:
        options: Parsed arguments of `add_data_options` and `add_backgrounds_option`.
        size: Side of the network's input in pixels.

    Returns:
        Views of them, as in inference; deterministic.

    Raises:
        DataError, ModelError, UsageError: See `read_scene_sources`.
        RuntimeMissing: No runtime for the shipped networks is available.
    """
    sources = read_scene_sources(options)
    search = open_search(find_networks(shipped_models()))
    known = collect_candidates(
        search, sources.training, CALIBRATION_PICTURES, (_CALIBRATION_STREAM,)
    )
    others = collect_candidates(
        search, sources.held_out, VERIFICATION_PICTURES, (_VERIFICATION_STREAM,)
    )
    return RefinerData(_draw_views(known, size), _draw_views(others, size), tuple(others.labels))


def _draw_views(candidates: Candidates, size: int) -> Pixels:
    return np.stack([draw_view(patch, size, Move()) for patch in candidates.patches])


def _keep_entry(original: FaceRefinerEntry, _: Runtime, __: RefinerData) -> FaceRefinerEntry:
    """Returns the Keras model's manifest entry: a face refiner's logits are not calibrated."""
    return original


TASK = Task(
    STEM,
    partial(open_listed_keras, kind=FACE_REFINER),
    read_candidates,
    _keep_entry,
    lambda exported, data: verify_refiner.verify_candidates(
        exported, data.verification, data.labels
    ),
)

"""What the face detector takes for a face in composites and in pictures without people."""

from __future__ import annotations

import numpy as np
import pytest
from training_pictures import draw_backgrounds

pytest.importorskip("keras")
pytest.importorskip("ai_edge_litert")

from image_gender_classifier import manifest
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.tile_network import TileNetwork
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.face_output.candidates import (
    CandidateSet,
    Search,
    collect_candidates,
)

SIZE = 96


@pytest.fixture(scope="module")
def search() -> Search:
    models = manifest.load(shipped_models())
    entry = models.face_detectors["face_detector_int8.tflite"]
    network = TileNetwork(open_network("tflite", models.folder, entry), entry)
    return Search(network, entry.search, Framing(entry.frame_scale, shift_y=0.0))


def collect(search: Search, face: Pixels, seed: int) -> CandidateSet:
    places = draw_backgrounds(3, 240, 320)
    return collect_candidates(search, [face], places, composites=12, plain=5, size=SIZE, seed=seed)


@pytest.fixture(scope="module")
def found(search: Search, face_crop: Pixels) -> CandidateSet:
    return collect(search, face_crop, 1)


def test_the_faces_of_composites_are_found_and_labelled(found: CandidateSet) -> None:
    assert found.crops.dtype == np.uint8
    assert found.crops.shape == (len(found.logits), SIZE, SIZE, 3)
    assert len(found.is_face) == len(found.logits)
    assert 6 <= found.is_face.sum() <= 36  # at most one in each pass over a composite
    assert found.logits[found.is_face].max() > found.logits[~found.is_face].max(initial=-9)


def test_candidates_depend_only_on_the_seed(
    found: CandidateSet, search: Search, face_crop: Pixels
) -> None:
    same, other = (collect(search, face_crop, seed) for seed in (1, 2))
    assert np.array_equal(found.crops, same.crops)
    assert np.array_equal(found.logits, same.logits)
    assert not np.array_equal(found.logits, other.logits)


def test_pictures_without_candidates_are_an_error(search: Search) -> None:
    plain = np.full((128, 128, 3), 30, np.uint8)
    with pytest.raises(DataError, match="finds no face or nothing else"):
        collect_candidates(search, [plain], [plain], composites=1, plain=1, size=SIZE, seed=1)

"""What the face detector finds in scenes, composites and pictures without people."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from model_entries import write_shipped_manifest
from training_pictures import draw_backgrounds

pytest.importorskip("ai_edge_litert")

from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.detector.scene import Sources
from image_gender_classifier.train.refiner import candidates
from image_gender_classifier.train.refiner.candidates import (
    PATCH_SIDE,
    REACH,
    Candidate,
    Candidates,
    Search,
    collect_candidates,
    find_labelled,
)
from image_gender_classifier.train.refiner.search import open_search
from image_gender_classifier.train.refiner.used_networks import find_networks
from image_gender_classifier.train.refiner.views import MARGIN, Move, draw_view

KEY = (7, 1)
SIZE, ZOOM = 32, 0.8  # of what is compared with the face: pixels, and its side over the frame's


@pytest.fixture(scope="module")
def search() -> Search:
    return open_search(find_networks(shipped_models()))


@pytest.fixture(scope="module")
def sources(face_crop: Pixels) -> Sources:
    """One face and three plain backgrounds."""
    return Sources(face_crop[np.newaxis], range(1), draw_backgrounds(3, 240, 320))


@pytest.fixture(scope="module")
def found(search: Search, sources: Sources) -> Candidates:
    return collect_candidates(search, sources, 80, KEY)


def unpack(found: Candidates) -> list[Candidate]:
    return list(map(Candidate, found.patches, found.labels, found.verified.tolist()))


def compare_with_face(found: Sequence[Candidate], face: Pixels) -> list[float]:
    """Correlations of the face with what is in the frames of the labels."""
    side = round(PATCH_SIDE / REACH)
    margin = (PATCH_SIDE - side) // 2
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    patch = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    zoom = log(ZOOM / MARGIN)
    expected = draw_view(np.asarray(patch, np.uint8), SIZE, Move(log_side=zoom))
    correlations = []
    for candidate in found:
        right, down, log_side = candidate.label[1:4]
        view = draw_view(candidate.patch, SIZE, Move(right, down, log_side + zoom))
        both = (pixels.mean(axis=-1).ravel() for pixels in (expected, view))
        correlations.append(float(np.corrcoef(*both)[0, 1]) if np.ptp(view) else 0.0)
    return correlations


def test_patches_have_labels_and_probabilities(found: Candidates) -> None:
    count = len(found.labels)
    assert found.patches.shape == (count, 80, 80, 3)
    assert found.verified.shape == (count,)
    assert (found.patches.dtype, found.verified.dtype) == (np.dtype("u1"), np.dtype("f4"))
    assert 0 <= found.verified.min() < 0.1
    assert 0.9 < found.verified.max() <= 1


def test_the_verifier_agrees_with_the_labels(found: Candidates) -> None:
    faces, others = (
        [candidate.verified for candidate in unpack(found) if candidate.label.is_face is is_face]
        for is_face in (True, False)
    )
    assert len(faces) > 40
    assert len(others) > len(faces)
    assert np.mean(faces) > 0.8
    assert np.mean(others) < 0.2


def test_the_frame_of_the_label_contains_the_face(found: Candidates, face_crop: Pixels) -> None:
    """Tilted and degraded ones are less like it."""
    faces, others = (
        [candidate for candidate in unpack(found) if candidate.label.is_face is is_face]
        for is_face in (True, False)
    )
    assert all(candidate.label.has_frame for candidate in faces)
    likeness = np.array(compare_with_face(faces, face_crop))
    assert np.median(likeness) > 0.75
    assert np.mean(likeness > 0.5) > 0.65
    assert abs(np.median(compare_with_face(others, face_crop))) < 0.2


def test_faces_of_turned_pictures_are_upright_in_patches(
    search: Search, sources: Sources, face_crop: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "TURNED", 1.0)
    turned = unpack(collect_candidates(search, sources, 80, KEY))
    faces = [candidate for candidate in turned if candidate.label.is_face]
    assert len(faces) > 20
    assert np.median(compare_with_face(faces, face_crop)) > 0.75
    assert np.mean([candidate.verified for candidate in faces]) > 0.8


def test_a_picture_depends_only_on_key_and_number(
    found: Candidates, search: Search, sources: Sources
) -> None:
    expected = unpack(found)
    for number in range(4):
        for candidate in find_labelled(search, sources, np.random.default_rng((*KEY, number))):
            first = expected.pop(0)
            assert np.array_equal(candidate.patch, first.patch)
            assert candidate.label == first.label
            assert candidate.verified == pytest.approx(first.verified)
    other = collect_candidates(search, sources, 4, (7, 2))
    assert other.labels != found.labels[: len(other.labels)]


def omit(files: dict[str, Any], words: tuple[str, ...]) -> None:
    """Removes the networks that a word names, and the face outputs of the others."""
    for file in list(files):
        files[file].pop("face_output", None)
        if any(word in file for word in words):
            del files[file]


@pytest.mark.parametrize("omitted", [(), ("gender",), ("face_detector_int8",), (".tflite",)])
def test_a_folder_without_a_detector_or_a_face_output_is_refused(
    omitted: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="lists not all networks that the training needs"):
        find_networks(write_shipped_manifest(tmp_path, lambda files: omit(files, omitted)))


def test_pictures_without_candidates_are_an_error(search: Search) -> None:
    """The only picture is part of a plain background, and the detector hard to please."""
    networks = find_networks(shipped_models())
    detector = FaceDetector(
        open_network("tflite", networks.folder, networks.detector),
        networks.detector._replace(candidate_threshold=0.99),
    )
    plain = Sources(
        np.full((1, 64, 64, 3), 120, np.uint8), range(1), [np.full((200, 300, 3), 90, np.uint8)]
    )
    with pytest.raises(DataError, match="finds nothing in the pictures"):
        collect_candidates(search._replace(detector=detector), plain, 1, (9,))


def test_the_first_networks_of_the_folder_are_used(tmp_path: Path) -> None:
    """Another detector without a file is listed last."""
    write_shipped_manifest(
        tmp_path, lambda files: files.update({"zz.tflite": files["face_detector_int8.tflite"]})
    )
    assert [entry.file for entry in find_networks(tmp_path)[1:3]] == [
        "face_detector_int8.tflite",
        "gender_int8.tflite",
    ]

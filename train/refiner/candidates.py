"""Collects candidates of the face detector in scenes, composites and pictures without people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.bounds import sigmoid
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.system.cores import count_cores
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.detector.candidate_pictures import draw_composite, draw_part
from image_gender_classifier.train.detector.scene import Sources
from image_gender_classifier.train.detector.whole_scenes import draw_whole
from image_gender_classifier.train.refiner.labels import (
    INVERSE_TURNS,
    Label,
    label_candidate,
    turn_box,
)

REACH = 1.6
"""Side of a patch divided by the side of the candidate's frame."""
PATCH_SIDE = 80
"""Side of a patch in pixels."""
TURNED = 0.12
"""Fraction of the pictures with a face that lie on their side or upside down."""

_SCENES, _COMPOSITES = 0.45, 0.2  # fractions of the pictures; the others show no people
_SCENE_SIDES = (200, 480)  # pixels, of the longest side of a scene
_VERIFIER_BIAS = -0.5  # added to the verifier's logit, whose bias favours faces in doubt

_Random = np.random.Generator


class Search(NamedTuple):
    """The opened networks that find and verify candidates.

    Attributes:
        detector: The face detector.
        frame_scale: Side of the classifier's frame divided by the side of the detector's.
        verifier: The face output of the gender network.
    """

    detector: FaceDetector
    frame_scale: float
    verifier: FaceVerifier


class Candidate(NamedTuple):
    """A candidate of the face detector.

    Attributes:
        patch: Square around its frame, turned like the candidate; uint8 RGB, 80 x 80 x 3.
        label: What it shows.
        verified: Probability (0 to 1) of a face according to the verifier.
    """

    patch: Pixels
    label: Label
    verified: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates of the face detector, N in all.

    Attributes:
        patches: uint8 RGB, N x 80 x 80 x 3; see `Candidate`.
        labels: Their labels.
        verified: float32, N; see `Candidate`.
    """

    patches: Pixels
    labels: Sequence[Label]
    verified: npt.NDArray[np.float32]


def collect_candidates(
    search: Search, sources: Sources, pictures: int, key: tuple[int, ...]
) -> Candidates:
    """Searches pictures for candidates, in all steps of the face detector's default search.

    Args:
        search: The networks.
        sources: Faces and backgrounds.
        pictures: Number of pictures.
        key: Seed of the pictures; each depends only on it and its own number.

    Returns:
        The candidates of all pictures, in their order.

    Raises:
        DataError: There is none.
    """

    def examine(number: int) -> list[Candidate]:
        return find_labelled(search, sources, np.random.default_rng((*key, number)))

    with ThreadPoolExecutor(count_cores()) as pool:
        done = pool.map(examine, range(pictures))
        progress = tqdm(
            done, "searching", pictures, unit="picture", disable=not sys.stderr.isatty()
        )
        found = [candidate for candidates in progress for candidate in candidates]
    if not found:
        raise DataError("the face detector finds nothing in the pictures; use more pictures")
    return Candidates(
        np.stack([candidate.patch for candidate in found]),
        [candidate.label for candidate in found],
        np.array([candidate.verified for candidate in found], np.float32),
    )


def find_labelled(search: Search, sources: Sources, random: _Random) -> list[Candidate]:
    """Returns the labelled candidates of one random picture."""
    pixels, frames = _draw(sources, random)
    turn: Turn = 0
    if frames and random.random() < TURNED:
        turn = get_args(Turn)[int(random.integers(1, 4))]
        back = INVERSE_TURNS[turn]
        height, width = pixels.shape[:2]
        frames = [turn_box(frame, back, width, height) for frame in frames]
        pixels = np.ascontiguousarray(turn_pixels(pixels, back))
    height, width = pixels.shape[:2]
    picture = Picture(pixels, width, height)
    to_detector = Framing(1 / search.frame_scale, shift_y=0.0)
    known = [geometry.map_to_frame(frame, to_detector) for frame in frames]
    return [
        Candidate(
            _cut_patch(pixels, candidate),
            label_candidate(candidate, known, turn, width, height),
            _verify(search, picture, candidate),
        )
        for candidate in search.detector.find_candidates(picture)
    ]


def _draw(sources: Sources, random: _Random) -> tuple[Pixels, Sequence[Box]]:
    """Generates a picture; returns it and the frames of its faces in pixels."""
    kind = random.random()
    if kind < _SCENES:
        scene = draw_whole(sources, int(random.integers(*_SCENE_SIDES)), random)
        return scene.pixels, scene.frames
    if kind < _SCENES + _COMPOSITES:
        faces = [sources.crops[sources.positions[int(random.integers(len(sources.positions)))]]]
        pixels, frame = draw_composite(faces, sources.backgrounds, random)
        return pixels, [frame]
    background = sources.backgrounds[int(random.integers(len(sources.backgrounds)))]
    return draw_part(background, random), []


def _cut_patch(pixels: Pixels, candidate: Detection) -> Pixels:
    square = geometry.map_to_frame(candidate.frame, Framing(REACH, shift_y=0.0))
    return turn_pixels(geometry.cut_crop(pixels, square, PATCH_SIDE), candidate.turn).copy()


def _verify(search: Search, picture: Picture, candidate: Detection) -> float:
    """Returns the probability of a face according to the verifier."""
    square = geometry.map_to_frame(candidate.frame, Framing(search.frame_scale, shift_y=0.0))
    logit = search.verifier.compute_logit(picture, square, candidate.logit, candidate.turn)
    return sigmoid(logit + _VERIFIER_BIAS)

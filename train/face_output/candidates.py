"""Collects what the face detector takes for a face in composites and in pictures without people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.candidates import CandidateVerifier
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import Detection, non_max_suppression
from image_gender_classifier.detection.tile_network import TileNetwork
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import SearchLogits
from image_gender_classifier.results import Box, compute_iou
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.detector.candidate_pictures import (
    draw_composite,
    draw_part,
    shrink,
)

_SIDES = (1.0, 0.6, 0.45)  # of the passes, over the picture's longer side
_SHORTEST = 96  # pixels; smaller sides show nothing but blur
_LOWEST_LOGIT = -2.5  # of a candidate in a pass, and once it is measured
_MOST = 6  # candidates in each pass over a picture
_FACE_IOU, _OTHER_IOU = 0.45, 0.15  # a candidate between them is left out

_Random = np.random.Generator


class Search(NamedTuple):
    """An opened face detector network.

    Attributes:
        network: The network.
        logits: Its logits that decide about candidates.
        framing: Maps its frames to the classifier's.
    """

    network: TileNetwork
    logits: SearchLogits
    framing: Framing


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """Candidates of a face detector, N in all.

    Attributes:
        crops: Crops with the classifier's frame, uint8 RGB, N x S x S x 3.
        logits: Logits of the face detector, float32, N.
        is_face: bool, N; whether the crop shows a face.
    """

    crops: Pixels
    logits: npt.NDArray[np.float32]
    is_face: npt.NDArray[np.bool_]


def collect_candidates(
    search: Search,
    faces: Sequence[Pixels],
    backgrounds: Sequence[Pixels],
    *,
    composites: int,
    plain: int,
    size: int,
    seed: int,
) -> CandidateSet:
    """Searches composites with a face and pictures without people for candidates.

    Args:
        search: The face detector.
        faces: Face crops with the margin of the gender classifier, uint8 RGB, S x S x 3.
        backgrounds: Pictures without people, uint8 RGB, H x W x 3.
        composites: Number of composites; each shows a face.
        plain: Number of pictures without people: each background in turn, then parts of them.
        size: Side of the crops in pixels.
        seed: Seed of all random choices.

    Returns:
        The candidates, in the order of the pictures. Those that overlap a face partly are left out.

    Raises:
        DataError: The face detector finds no face, or nothing else.
    """
    random = np.random.default_rng(seed)
    crops: list[Pixels] = []
    logits: list[float] = []
    is_face: list[bool] = []
    pictures = _draw(faces, backgrounds, composites, plain, random)
    count = composites + plain
    for pixels, frame in tqdm(pictures, "searching", count, unit="picture", disable=None):
        picture = Picture(pixels, pixels.shape[1], pixels.shape[0])
        for found in _detect(search, picture):
            overlap = 0.0 if frame is None else compute_iou(found.frame, frame)
            if _OTHER_IOU <= overlap <= _FACE_IOU:
                continue
            square = geometry.map_to_frame(found.frame, search.framing)
            crops.append(geometry.cut_crop(pixels, square, size))
            logits.append(found.logit)
            is_face.append(overlap > _FACE_IOU)
    if not 0 < sum(is_face) < len(is_face):
        raise DataError(
            "the face detector finds no face or nothing else in the pictures; use more pictures"
        )
    return CandidateSet(np.stack(crops), np.array(logits, np.float32), np.array(is_face))


def _draw(
    faces: Sequence[Pixels],
    backgrounds: Sequence[Pixels],
    composites: int,
    plain: int,
    random: _Random,
) -> Iterator[tuple[Pixels, Box | None]]:
    """Yields pictures, each with the frame of its face or None."""
    for _ in range(composites):
        yield draw_composite(faces, backgrounds, random)
    for number in range(plain):
        background = backgrounds[number % len(backgrounds)]
        if number >= len(backgrounds):
            yield draw_part(background, random), None
        else:
            yield shrink(background), None


def _detect(search: Search, picture: Picture) -> list[Detection]:
    """Returns the candidates of a picture; their frames do not overlap."""
    verifier = CandidateVerifier(search.network, search.logits, search.framing, None)
    longest = max(picture.pixels.shape[:2])
    found: list[Detection] = []
    for side in (max(round(share * longest), min(_SHORTEST, longest)) for share in _SIDES):
        detections = search.network.detect_in_pass(picture, side, _LOWEST_LOGIT)
        frames = [face.frame for face in found]
        for candidate in non_max_suppression(detections, frames)[:_MOST]:
            face = verifier.measure(picture, candidate)
            if face is not None and face.logit >= _LOWEST_LOGIT:
                found.append(face)
    return found

"""The face detector network: a heat-map detector that runs on tiles of the picture.

A first pass finds candidates in tiles that cover the picture. Each candidate then gets tiles of its
own, at sizes on which the network is most accurate, and test-time augmentation by mirroring; their
mean decides. This is the cascade of Zhang et al., "Joint Face Detection and Alignment Using
Multitask Cascaded Convolutional Networks" (2016), with one network for all stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import exp, inf, log
from typing import NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import (
    STRIDE,
    Detection,
    decode,
    non_max_suppression,
)
from image_gender_classifier.detection.tiling import (
    MIN_TILE_SIDE,
    Tile,
    face_tile,
    letterbox,
    tile_sides,
    tiles,
)
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box, Face
from image_gender_classifier.runtimes import Runtime


class FacePass(NamedTuple):
    """One of the tiles around a candidate.

    Attributes:
        margin: Side of the tile over side of the candidate's frame.
        mirrored: Whether the network sees the mirror image (test-time augmentation).
    """

    margin: float
    mirrored: bool


_FACE_PASSES = (FacePass(1.3, False), FacePass(1.5, False), FacePass(1.3, True))
# Tolerances for --min-face, as shares of it: measured sides scatter.
_MIN_CANDIDATE_SIDE, _MIN_FACE_SIDE = 0.75, 0.9
_MAX_SHIFT = 0.3  # of a frame's side: distance from candidate to detection of the same face
_REJECT_LOGIT = -2.0  # one pass at or below this rejects a candidate
# Distance of the running mean of logits from the threshold at which further passes are skipped. Of
# 6,157 candidates in held-out scenes and portraits, none further away than 0.32 changes sides.
_EARLY_EXIT = 0.7
_MAX_CANDIDATES = 8  # of a pass over the picture
_SCORE_DECIMALS = 3  # as all outputs write them


class FaceDetector:
    """A face detector network with its manifest entry. Thread-safe.

    Args:
        runtime: The network.
        entry: Its manifest entry.
        smallest_face: Smallest face to find, as a share of a picture's shorter side; by default
            what one pass over the whole picture finds.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(
        self, runtime: Runtime, entry: FaceDetectorEntry, smallest_face: float | None = None
    ) -> None:
        size = entry.input_shape[0]
        signature = (runtime.input_shape, runtime.input_dtype, entry.input_shape)
        if (*signature, entry.colour_order) != ((size, size, 3), "uint8", (size, size, 3), "RGB"):
            raise ModelError(
                f"{entry.file}: takes {runtime.input_dtype} {runtime.input_shape}, but square "
                "uint8 RGB pictures are required; reinstall the package"
            )
        self._framing = Framing(entry.frame_scale, shift_y=0.0)
        self.framings = {entry.detector: Framing(scale=1.0, shift_y=0.0)}
        self.cache_key = (*entry.cache_key, smallest_face)
        self._entry = entry
        self._candidate_threshold, self._threshold = map(
            _logit, (entry.candidate_threshold, entry.threshold)
        )
        self._size = size
        self._smallest = smallest_face
        self._runtime = runtime

    def warm_up(self) -> None:
        """Runs the network once, to fail early on a broken model.

        Raises:
            ModelError: The runtime cannot run the network, or its outputs are not the maps of a
                face detector.
        """
        self._run(np.zeros((self._size, self._size, 3), np.uint8))

    def detect(
        self, picture: Picture, known: Sequence[Box] = (), all_faces: bool = False
    ) -> list[Face]:
        """Finds the faces in a picture, with smaller tiles until a pass finds one.

        Args:
            picture: The picture.
            known: Frames of faces that are found already, in pixels of the original. They are not
                found again. With any of them the first pass is the only one.
            all_faces: Run all passes.

        Returns:
            Faces, unclassified, boxes (the classifier's frames) in pixels of the original.

        Raises:
            ModelError: The runtime cannot run the network.
            UnreadablePicture: The picture cannot be decoded again at a higher resolution.
        """
        if self._smallest is not None:
            picture = picture.finer()
        height, width = picture.pixels.shape[:2]
        min_side = (self._smallest or 0) * min(picture.height, picture.width)
        found: list[Detection] = []
        for side in tile_sides(
            height, width, self._smallest, self._entry.smallest_face, self._size
        ):
            frames = [*known, *(face.frame for face in found)]
            detections = self._detect_in(
                picture, tiles(height, width, side), self._candidate_threshold
            )
            candidates = [
                face.frame
                for face in non_max_suppression(detections, frames)
                if face.frame.width >= _MIN_CANDIDATE_SIDE * min_side
            ]
            if not all_faces:
                candidates = candidates[:_MAX_CANDIDATES]
            verified = self._verify(picture, candidates, _FACE_PASSES)
            found += non_max_suppression(
                (face for face in verified if face.frame.width >= _MIN_FACE_SIDE * min_side),
                frames,
            )
            if (found or known) and not all_faces:
                break
        return self._faces(found, self._entry.detector)

    def confirm(self, picture: Picture, frames: Iterable[Box], detector: str) -> list[Face]:
        """Verifies the faces of another detector, with one tile each.

        Args:
            picture: The picture.
            frames: The classifier's frames around them, in pixels of the original.
            detector: Name of the other detector.

        Returns:
            The confirmed faces, unclassified, by falling score, with more accurate frames as boxes.

        Raises:
            ModelError: The runtime cannot run the network.
            UnreadablePicture: The picture cannot be decoded again at a higher resolution.
        """
        found = non_max_suppression(self._verify(picture, frames, _FACE_PASSES[:1]))
        return self._faces(found, detector)

    def _faces(self, found: Iterable[Detection], detector: str) -> list[Face]:
        return [
            Face(geometry.frame(face.frame, self._framing), detector, score=_score(face.logit))
            for face in found
        ]

    def _verify(
        self, picture: Picture, frames: Iterable[Box], passes: Sequence[FacePass]
    ) -> Iterator[Detection]:
        """Yields the candidates whose mean logit over the passes reaches the threshold.

        One pass can reject a candidate, and a clear mean ends the passes early. The frame is the
        mean of the passes that are not mirrored: frames around turned heads differ between left and
        right.
        """
        upright_passes = sum(not mirrored for _, mirrored in passes)
        for candidate in frames:
            placed: list[Box] = []
            logits: list[float] = []
            for margin, mirrored in passes:
                face = self._detect_candidate(picture, candidate, margin, mirrored)
                logits.append(face.logit)
                if not mirrored:
                    placed.append(face.frame)
                excess = sum(logits) / len(logits) - self._threshold
                if face.logit <= _REJECT_LOGIT or excess <= -_EARLY_EXIT:
                    break
                if excess >= _EARLY_EXIT and len(placed) == upright_passes:
                    break
            if excess >= 0 and min(logits) > _REJECT_LOGIT:
                yield Detection(_mean(placed), sum(logits) / len(logits))

    def _detect_candidate(
        self, picture: Picture, candidate: Box, margin: float, mirrored: bool
    ) -> Detection:
        """Detects one candidate in a tile around it, at a higher resolution if it is small.

        Returns:
            The detection, or the candidate with `_REJECT_LOGIT` if there is none.
        """
        if margin * candidate.width < MIN_TILE_SIDE * self._size * picture.scale:
            picture = picture.finer()
        in_pixels = _scaled(candidate, 1 / picture.scale)
        tile = face_tile(in_pixels, margin, *picture.pixels.shape[:2])
        for face in self._detect_in(picture, [tile], _REJECT_LOGIT, mirrored):
            if _is_same_face(face.frame, candidate):
                return face
        return Detection(candidate, _REJECT_LOGIT)

    def _detect_in(
        self, picture: Picture, wanted: Iterable[Tile], min_logit: float, mirrored: bool = False
    ) -> Iterator[Detection]:
        """Yields the detections in tiles of a picture, frames in pixels of the original."""
        pixels = picture.pixels
        for left, top, side in wanted:
            part = pixels[top : top + side, left : left + side]
            heat, boxes = self._run(letterbox(_mirrored(part) if mirrored else part, self._size))
            height, width = part.shape[:2]
            scale = max(height, width) / self._size
            for face in decode(heat, boxes, min_logit):
                frame = _scaled(face.frame, scale)
                x = width - frame.x - frame.width if mirrored else frame.x
                placed = Box(left + x, top + frame.y, frame.width, frame.height)
                yield Detection(_scaled(placed, picture.scale), face.logit)

    def _run(self, square: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Runs the network on pixels (S x S x 3); returns heat (G x G) and boxes (G x G x 3)."""
        cells = self._size // STRIDE
        maps = {output.shape[-1]: output for output in self._runtime.run(square[np.newaxis])}
        shapes = {channels: output.shape for channels, output in maps.items()}
        if shapes != {channels: (1, cells, cells, channels) for channels in (1, 3)}:
            raise ModelError(f"{self._entry.file}: its outputs are not those of a face detector")
        if not all(np.isfinite(output).all() for output in maps.values()):
            raise ModelError(f"{self._entry.file}: its outputs are not finite; the file is corrupt")
        return maps[1][0, ..., 0], maps[3][0]


def _mirrored(pixels: Pixels) -> Pixels:
    return cast(Pixels, cv2.flip(pixels, 1))


def _logit(probability: float) -> float:
    if not 0 < probability < 1:
        return -inf if probability <= 0 else inf
    return log(probability / (1 - probability))


def _score(logit: float) -> float:
    return round(1 / (1 + exp(-logit)), _SCORE_DECIMALS)


def _scaled(box: Box, scale: float) -> Box:
    return Box(scale * box.x, scale * box.y, scale * box.width, scale * box.height)


def _mean(frames: Sequence[Box]) -> Box:
    x, y, width, height = (sum(values) / len(frames) for values in zip(*frames, strict=True))
    return Box(x, y, width, height)


def _is_same_face(frame: Box, candidate: Box) -> bool:
    """Returns whether a detection is close enough to the candidate that its tile is for."""
    across = abs(frame.x + frame.width / 2 - candidate.x - candidate.width / 2)
    down = abs(frame.y + frame.height / 2 - candidate.y - candidate.height / 2)
    return max(across, down) <= _MAX_SHIFT * candidate.width

"""Searches a picture for faces with the face detector network, and verifies each candidate.

A first pass detects candidates in tiles that cover the picture. To verify a candidate, the network
runs on tiles around it, in the sizes that it detects best; one tile is flipped (test-time
augmentation). The mean of the logits must reach the threshold. This is the cascade of Zhang et al.,
"Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks" (2016), with
one network for all stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import exp, inf, log
from typing import NamedTuple

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import Detection, non_max_suppression
from image_gender_classifier.detection.tile_network import TileNetwork, scale_box
from image_gender_classifier.detection.tiling import (
    MIN_TILE_SIDE,
    choose_tile_sides,
    make_face_tile,
    make_tiles,
)
from image_gender_classifier.detection.turning import QUARTER_TURNS, turn_box_back, turn_picture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box, Face
from image_gender_classifier.runtimes import Runtime


class FacePass(NamedTuple):
    """Parameters of one run of the network on the tile around a candidate.

    Attributes:
        margin: Side of the tile divided by the side of the candidate's frame.
        flipped: Whether the tile is flipped horizontally (test-time augmentation).
    """

    margin: float
    flipped: bool


_FACE_PASSES = (FacePass(1.3, False), FacePass(1.5, False), FacePass(1.3, True))
# Minimum sides as fractions of `smallest_face`: detected sides scatter around the true side.
_MIN_CANDIDATE_SIDE, _MIN_FACE_SIDE = 0.75, 0.9
_MAX_SHIFT = 0.3  # of the frame's side, between a candidate and the detection of the same face
_REJECT_LOGIT = -2.0  # a pass with this logit or a lower one rejects the candidate
# The other passes are skipped if the mean logit so far is this far from the threshold. Among 6,157
# candidates in held-out scenes and portraits, the mean crosses the threshold within 0.32 only.
_EARLY_EXIT = 0.7
_MAX_CANDIDATES = 8  # in each pass over the picture
_SCORE_DECIMALS = 3  # as in all outputs


class FaceDetector:
    """Detects faces with a face detector network. Thread-safe.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.
        smallest_face: Side of the smallest face to detect, as a fraction of the picture's shorter
            side. None searches as the manifest entry says.

    Attributes:
        framings: See `Detector`.
        cache_key: See `Detector`.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(
        self, runtime: Runtime, entry: FaceDetectorEntry, smallest_face: float | None = None
    ) -> None:
        self._network = TileNetwork(runtime, entry)
        self._framing = Framing(entry.frame_scale, shift_y=0.0)
        self.framings = {entry.detector: Framing(scale=1.0, shift_y=0.0)}
        self.cache_key = (*entry.cache_key, smallest_face)
        self._entry = entry
        self._candidate_threshold = _logit(entry.candidate_threshold)
        self._threshold = _logit(entry.threshold)
        second = entry.threshold if entry.second_threshold is None else entry.second_threshold
        self._second_threshold = _logit(second)
        self._smallest = smallest_face

    def warm_up(self) -> None:
        """Runs the network once, to fail early on a broken model.

        Raises:
            ModelError: The runtime cannot run the network, or the outputs have another shape than
                those of a face detector or are not finite.
            RuntimeMissing: See `Runtime.run`.
        """
        self._network.warm_up()

    def detect(
        self, picture: Picture, known: Sequence[Box] = (), all_faces: bool = False
    ) -> list[Face]:
        """Detects faces in tiles of decreasing size, until a pass over the picture finds one.

        By default there are one or two passes, as the manifest entry says; the second finds the
        face of a person who is shown from head to foot. If the first finds no face and the entry
        has a threshold for that, the picture is also turned by 90, 180 and 270 degrees; the face
        with the highest score tells which way is up.

        Args:
            picture: The picture.
            known: Frames of faces that are already detected, in pixels of the original. These faces
                are not returned. If there are any, the search ends after the first pass, unless
                `all_faces` is set.
            all_faces: Whether to run all passes in any case, and to verify all candidates instead
                of the best 8 of each pass.

        Returns:
            The other faces, without gender; boxes are the classifier's frames in pixels of the
            original. Empty if there are none.

        Raises:
            ModelError, RuntimeMissing: The network cannot be run; see `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        if self._smallest is not None:
            picture = picture.finer()
        found: list[Detection] = []
        found_at_once = False
        for number, side in enumerate(self._tile_sides(picture)):
            threshold = self._second_threshold if number else self._threshold
            frames = [*known, *(face.frame for face in found)]
            found += self._search(picture, side, threshold, frames, all_faces)
            found_at_once |= bool(found) and number == 0
            if (found or known) and not all_faces:
                break
        faces = self._make_faces(found, self._entry.detector)
        if known or found_at_once or self._entry.turned_threshold is None:
            return faces
        turned = self._detect_turned(picture, _logit(self._entry.turned_threshold), all_faces)
        return max(faces, turned, key=_best_score)

    def _tile_sides(self, picture: Picture) -> Iterator[int]:
        height, width = picture.pixels.shape[:2]
        return choose_tile_sides(
            height,
            width,
            self._smallest,
            self._entry.smallest_face,
            self._network.input_size,
            second_pass=self._entry.second_threshold is not None,
        )

    def _search(
        self,
        picture: Picture,
        side: int,
        threshold: float,
        known: Sequence[Box] = (),
        all_faces: bool = False,
    ) -> list[Detection]:
        """Searches a picture in tiles of one size for faces that are not known."""
        min_side = (self._smallest or 0) * min(picture.height, picture.width)
        height, width = picture.pixels.shape[:2]
        detections = self._network.detect_in_tiles(
            picture, make_tiles(height, width, side), self._candidate_threshold
        )
        candidates = [
            face.frame
            for face in non_max_suppression(detections, known)
            if face.frame.width >= _MIN_CANDIDATE_SIDE * min_side
        ]
        if not all_faces:
            candidates = candidates[:_MAX_CANDIDATES]
        verified = self._verify(picture, candidates, _FACE_PASSES, threshold)
        return non_max_suppression(
            (face for face in verified if face.frame.width >= _MIN_FACE_SIDE * min_side), known
        )

    def _detect_turned(self, picture: Picture, threshold: float, all_faces: bool) -> list[Face]:
        """Finds the faces in a picture that lies on its side or upside down.

        Returns:
            The faces of the turn with the surest one.
        """
        best: list[Face] = []
        for turn in QUARTER_TURNS:
            turned = turn_picture(picture, turn)
            side = max(turned.pixels.shape[:2])
            found = self._search(turned, side, threshold, all_faces=all_faces)
            faces = [
                face._replace(
                    box=turn_box_back(face.box, turn, picture.width, picture.height), turn=turn
                )
                for face in self._make_faces(found, self._entry.detector)
            ]
            best = max(best, faces, key=_best_score)
        return best

    def confirm(self, picture: Picture, frames: Iterable[Box], detector: str) -> list[Face]:
        """Verifies the faces of another detector, with one run of the network per face.

        Args:
            picture: The picture.
            frames: The classifier's frames around the faces, in pixels of the original.
            detector: Name of the other detector, for the returned faces.

        Returns:
            The confirmed faces in descending order of score, without gender; boxes are the
            classifier's frames as the network locates them, in pixels of the original.

        Raises:
            ModelError, RuntimeMissing: The network cannot be run; see `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        found = non_max_suppression(
            self._verify(picture, frames, _FACE_PASSES[:1], self._threshold)
        )
        return self._make_faces(found, detector)

    def _make_faces(self, found: Iterable[Detection], detector: str) -> list[Face]:
        """Converts detections to faces: scales the frames to the classifier's, logits to scores."""
        return [
            Face(
                geometry.map_to_frame(face.frame, self._framing),
                detector,
                score=_score_from_logit(face.logit),
            )
            for face in found
        ]

    def _verify(
        self,
        picture: Picture,
        frames: Iterable[Box],
        passes: Sequence[FacePass],
        threshold: float,
    ) -> Iterator[Detection]:
        """Yields the candidates whose mean logit over the passes reaches the threshold.

        A single pass can reject a candidate, and a mean far from the threshold ends the passes
        early. The frame is the mean over the unflipped passes, because flipping shifts the frame of
        a turned head.

        Args:
            picture: The picture.
            frames: Frames of the candidates, in pixels of the original.
            passes: The passes to run; the first one is not flipped.
            threshold: Minimum mean logit.
        """
        unflipped_passes = sum(not flipped for _, flipped in passes)
        for candidate in frames:
            unflipped_frames: list[Box] = []
            logits: list[float] = []
            for margin, flipped in passes:
                face = self._detect_candidate(picture, candidate, margin, flipped)
                logits.append(face.logit)
                if not flipped:
                    unflipped_frames.append(face.frame)
                excess = sum(logits) / len(logits) - threshold
                if face.logit <= _REJECT_LOGIT or excess <= -_EARLY_EXIT:
                    break
                if excess >= _EARLY_EXIT and len(unflipped_frames) == unflipped_passes:
                    break
            if excess >= 0 and min(logits) > _REJECT_LOGIT:
                yield Detection(_mean_box(unflipped_frames), sum(logits) / len(logits))

    def _detect_candidate(
        self, picture: Picture, candidate: Box, margin: float, flipped: bool
    ) -> Detection:
        """Runs one pass on the tile around a candidate; decodes the picture again for a small tile.

        Returns:
            The best detection of the same face, in pixels of the original like `candidate`; if
            there is none, `candidate` with `_REJECT_LOGIT`.
        """
        if margin * candidate.width < MIN_TILE_SIDE * self._network.input_size * picture.scale:
            picture = picture.finer()
        in_pixels = scale_box(candidate, 1 / picture.scale)
        tile = make_face_tile(in_pixels, margin, *picture.pixels.shape[:2])
        for face in self._network.detect_in_tiles(picture, [tile], _REJECT_LOGIT, flipped):
            if _is_same_face(face.frame, candidate):
                return face
        return Detection(candidate, _REJECT_LOGIT)


def _logit(probability: float) -> float:
    """Returns the log-odds of a probability; minus infinity for 0, infinity for 1."""
    if not 0 < probability < 1:
        return -inf if probability <= 0 else inf
    return log(probability / (1 - probability))


def _score_from_logit(logit: float) -> float:
    """Returns the sigmoid of a logit, rounded to three decimals."""
    return round(1 / (1 + exp(-logit)), _SCORE_DECIMALS)


def _best_score(faces: Sequence[Face]) -> float:
    return max((face.score or 0.0 for face in faces), default=0.0)


def _mean_box(frames: Sequence[Box]) -> Box:
    """Returns the mean of one or more boxes, field by field."""
    x, y, width, height = (sum(values) / len(frames) for values in zip(*frames, strict=True))
    return Box(x, y, width, height)


def _is_same_face(frame: Box, candidate: Box) -> bool:
    """Returns whether the centres of a detection and a candidate are close together."""
    across = abs(frame.x + frame.width / 2 - candidate.x - candidate.width / 2)
    down = abs(frame.y + frame.height / 2 - candidate.y - candidate.height / 2)
    return max(across, down) <= _MAX_SHIFT * candidate.width

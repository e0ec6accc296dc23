"""Decides which candidates are faces: runs the face detector network on tiles around each.

The network runs on tiles in the sizes that it detects best; one tile is flipped (test-time
augmentation). The mean of the logits decides; if it leaves doubt, the face output of the gender
network does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import exp, inf, log
from typing import NamedTuple

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.detection.geometry import Framing, scale_box
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.detection.tile_network import TileNetwork
from image_gender_classifier.detection.tiling import MIN_TILE_SIDE, make_face_tile
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box


class FacePass(NamedTuple):
    """Parameters of one run of the network on the tile around a candidate.

    Attributes:
        margin: Side of the tile divided by the side of the candidate's frame.
        flipped: Whether the tile is flipped horizontally (test-time augmentation).
    """

    margin: float
    flipped: bool


FACE_PASSES = (FacePass(1.3, False), FacePass(1.5, False), FacePass(1.3, True))
"""The passes for a candidate of the network; the first is enough for one of another detector."""

_MAX_SHIFT = 0.3  # of the frame's side, between a candidate and the detection of the same face
REJECT_LOGIT = -2.0
"""A pass with this logit or a lower one rejects the candidate."""
# The other passes are skipped if the mean logit so far is this far from the bounds. Among 6,157
# candidates in held-out scenes and portraits, the mean crosses a bound within 0.32 only.
_EARLY_EXIT = 0.7
# Minimum score of a candidate in a turned picture, which needs a surer face than an upright one.
_TURNED_CANDIDATE = 0.4


class Bounds(NamedTuple):
    """Which logits of the network make a candidate, which make it a face, and which leave doubt.

    Attributes:
        candidate: Minimum logit of a candidate in the tiles that cover the picture.
        lowest: Minimum mean logit of a face or of a doubtful face.
        surest: Mean logit from which a candidate is a face; equal to `lowest` if none is doubtful.
        probability: Minimum probability of a doubtful face.
    """

    candidate: float
    lowest: float
    surest: float
    probability: float = 0.0


class BoundsOfSearch(NamedTuple):
    """The bounds in each part of the search for faces.

    Attributes:
        first: In the first pass over the picture.
        later: In later passes.
        turned: In turned pictures; None if pictures are not turned.
    """

    first: Bounds
    later: Bounds
    turned: Bounds | None


def choose_bounds(entry: FaceDetectorEntry, verifier: FaceVerifier | None) -> BoundsOfSearch:
    """Returns the bounds that a face detector's manifest entry or its verifier sets."""
    candidate = entry.candidate_threshold
    turned_candidate = max(candidate, _TURNED_CANDIDATE)
    if verifier is not None:
        output = verifier.output
        first = _make_bounds(candidate, output.lowest, output.surest, output.threshold)
        turned = _make_bounds(
            turned_candidate, output.lowest, output.surest, output.turned_threshold
        )
        return BoundsOfSearch(first, first, turned)
    second, in_turned = entry.second_threshold, entry.turned_threshold
    first = _make_bounds(candidate, entry.threshold, entry.threshold)
    return BoundsOfSearch(
        first,
        first if second is None else _make_bounds(candidate, second, second),
        None if in_turned is None else _make_bounds(turned_candidate, in_turned, in_turned),
    )


def _make_bounds(
    candidate: float, lowest: float, surest: float, probability: float = 0.0
) -> Bounds:
    """Returns the bounds for scores and a probability, all from 0 to 1."""
    return Bounds(logit(candidate), logit(lowest), logit(surest), probability)


def logit(probability: float) -> float:
    """Returns the log-odds of a probability; minus infinity for 0, infinity for 1."""
    if not 0 < probability < 1:
        return -inf if probability <= 0 else inf
    return log(probability / (1 - probability))


def sigmoid(value: float) -> float:
    """Returns the probability of a logit of ordinary size; the inverse of `logit`."""
    return 1 / (1 + exp(-value))


class CandidateVerifier:
    """Decides which candidates are faces. Thread-safe.

    Args:
        network: The face detector network.
        framing: Maps the network's frames to the classifier's.
        verifier: Decides about doubtful faces; None to accept none.
    """

    def __init__(
        self, network: TileNetwork, framing: Framing, verifier: FaceVerifier | None
    ) -> None:
        self._network = network
        self._framing = framing
        self._verifier = verifier

    def find_faces(
        self,
        picture: Picture,
        candidates: Iterable[Box],
        passes: Sequence[FacePass],
        bounds: Bounds,
    ) -> Iterator[Detection]:
        """Yields the candidates that are faces.

        Args:
            picture: The picture.
            candidates: Frames of the candidates, in pixels of the original.
            passes: The passes to run; the first one is not flipped.
            bounds: Which mean logits make a candidate a face or a doubtful face.

        Yields:
            Faces with the frames of `measure`; the logit is that of the verifier if the face was
            doubtful.

        Raises:
            ModelError, RuntimeMissing: A network cannot be run; see `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        for candidate in candidates:
            face = self.measure(picture, candidate, passes, bounds)
            if face is None or face.logit >= bounds.surest:
                sure = face
            else:
                sure = self._verify(picture, face, bounds.probability)
            if sure is not None:
                yield sure

    def measure(
        self, picture: Picture, candidate: Box, passes: Sequence[FacePass], bounds: Bounds
    ) -> Detection | None:
        """Returns a candidate with its mean frame and mean logit over the passes.

        A single pass can reject the candidate, and a mean logit far outside the bounds ends the
        passes early. The frame is the mean over the unflipped passes, because flipping shifts the
        frame of a turned head.

        Returns:
            The candidate as the passes detect it; None if it is rejected or its mean logit is below
            `bounds.lowest`. Arguments and exceptions are those of `find_faces`.
        """
        unflipped_passes = sum(not flipped for _, flipped in passes)
        unflipped_frames: list[Box] = []
        logits: list[float] = []
        mean = -inf
        for margin, flipped in passes:
            face = self._detect_candidate(picture, candidate, margin, flipped)
            if face.logit <= REJECT_LOGIT:
                return None
            logits.append(face.logit)
            if not flipped:
                unflipped_frames.append(face.frame)
            mean = sum(logits) / len(logits)
            if mean <= bounds.lowest - _EARLY_EXIT:
                return None
            if mean >= bounds.surest + _EARLY_EXIT and len(unflipped_frames) == unflipped_passes:
                break
        return Detection(_mean_box(unflipped_frames), mean) if mean >= bounds.lowest else None

    def _verify(self, picture: Picture, face: Detection, threshold: float) -> Detection | None:
        """Returns a doubtful face with the logit of the verifier; None if it is rejected."""
        if self._verifier is None:
            return None
        square = geometry.map_to_frame(face.frame, self._framing)
        probability = self._verifier.compute_probability(picture, square, face.logit)
        return Detection(face.frame, logit(probability)) if probability >= threshold else None

    def _detect_candidate(
        self, picture: Picture, candidate: Box, margin: float, flipped: bool
    ) -> Detection:
        """Runs one pass on the tile around a candidate; decodes the picture again for a small tile.

        Returns:
            The best detection of the same face, in pixels of the original like `candidate`; if
            there is none, `candidate` with `REJECT_LOGIT`.
        """
        if margin * candidate.width < MIN_TILE_SIDE * self._network.input_size * picture.scale:
            picture = picture.finer()
        in_pixels = scale_box(candidate, 1 / picture.scale)
        tile = make_face_tile(in_pixels, margin, *picture.pixels.shape[:2])
        for face in self._network.detect_in_tiles(picture, [tile], REJECT_LOGIT, flipped):
            if _is_same_face(face.frame, candidate):
                return face
        return Detection(candidate, REJECT_LOGIT)


def _mean_box(frames: Sequence[Box]) -> Box:
    """Returns the mean of one or more boxes, field by field."""
    x, y, width, height = (sum(values) / len(frames) for values in zip(*frames, strict=True))
    return Box(x, y, width, height)


def _is_same_face(frame: Box, candidate: Box) -> bool:
    """Returns whether the centres of a detection and a candidate are close together."""
    across = abs(frame.x + frame.width / 2 - candidate.x - candidate.width / 2)
    down = abs(frame.y + frame.height / 2 - candidate.y - candidate.height / 2)
    return max(across, down) <= _MAX_SHIFT * candidate.width

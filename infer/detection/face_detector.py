"""Searches a picture for faces with the face detector network, and verifies each candidate.

A first pass detects candidates in tiles that cover the picture; `candidates` decides which of them
are faces. This is the cascade of Zhang et al., "Joint Face Detection and Alignment Using Multitask
Cascaded Convolutional Networks" (2016), with one network for the first stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.candidates import (
    FACE_PASSES,
    Bounds,
    CandidateVerifier,
    choose_bounds,
    sigmoid,
)
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import Detection, non_max_suppression
from image_gender_classifier.detection.tile_network import TileNetwork
from image_gender_classifier.detection.tiling import (
    choose_tile_sides,
    make_tiles,
)
from image_gender_classifier.detection.turning import QUARTER_TURNS, turn_box_back, turn_picture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box, Face
from image_gender_classifier.runtimes import Runtime

# Minimum sides as fractions of `smallest_face`: detected sides scatter around the true side.
_MIN_CANDIDATE_SIDE, _MIN_FACE_SIDE = 0.75, 0.9
_MAX_CANDIDATES = 8  # in each pass over the picture
_SCORE_DECIMALS = 3  # as in all outputs


class FaceDetector:
    """Detects faces with a face detector network. Thread-safe.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.
        smallest_face: Side of the smallest face to detect, as a fraction of the picture's shorter
            side. None searches as the manifest entry says.
        verifier: Decides about doubtful faces; None if the thresholds of `entry` decide alone.

    Attributes:
        framings: See `Detector`.
        cache_key: See `Detector`.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(
        self,
        runtime: Runtime,
        entry: FaceDetectorEntry,
        smallest_face: float | None = None,
        verifier: FaceVerifier | None = None,
    ) -> None:
        self._network = TileNetwork(runtime, entry)
        self._framing = Framing(entry.frame_scale, shift_y=0.0)
        self.framings = {entry.detector: Framing(scale=1.0, shift_y=0.0)}
        known = () if verifier is None else verifier.cache_key
        self.cache_key = (*entry.cache_key, smallest_face, *known)
        self._entry = entry
        self._candidates = CandidateVerifier(self._network, self._framing, verifier)
        self._bounds = choose_bounds(entry, verifier)
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
            bounds = self._bounds.later if number else self._bounds.first
            frames = [*known, *(face.frame for face in found)]
            found += self._search(picture, side, bounds, frames, all_faces)
            found_at_once |= bool(found) and number == 0
            if (found or known) and not all_faces:
                break
        faces = self._make_faces(found, self._entry.detector)
        if known or found_at_once or self._bounds.turned is None:
            return faces
        turned = self._detect_turned(picture, self._bounds.turned, all_faces)
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
        bounds: Bounds,
        known: Sequence[Box] = (),
        all_faces: bool = False,
    ) -> list[Detection]:
        """Searches a picture in tiles of one size for faces that are not known."""
        min_side = (self._smallest or 0) * min(picture.height, picture.width)
        height, width = picture.pixels.shape[:2]
        detections = self._network.detect_in_tiles(
            picture, make_tiles(height, width, side), bounds.candidate
        )
        candidates = [
            face.frame
            for face in non_max_suppression(detections, known)
            if face.frame.width >= _MIN_CANDIDATE_SIDE * min_side
        ]
        if not all_faces:
            candidates = candidates[:_MAX_CANDIDATES]
        verified = self._candidates.find_faces(picture, candidates, FACE_PASSES, bounds)
        return non_max_suppression(
            (face for face in verified if face.frame.width >= _MIN_FACE_SIDE * min_side), known
        )

    def _detect_turned(self, picture: Picture, bounds: Bounds, all_faces: bool) -> list[Face]:
        """Finds the faces in a picture that lies on its side or upside down.

        Returns:
            The faces of the turn with the surest one.
        """
        best: list[Face] = []
        for turn in QUARTER_TURNS:
            turned = turn_picture(picture, turn)
            side = max(turned.pixels.shape[:2])
            found = self._search(turned, side, bounds, all_faces=all_faces)
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
            self._candidates.find_faces(picture, frames, FACE_PASSES[:1], self._bounds.first)
        )
        return self._make_faces(found, detector)

    def _make_faces(self, found: Iterable[Detection], detector: str) -> list[Face]:
        """Converts detections to faces: scales the frames to the classifier's, logits to scores."""
        return [
            Face(
                geometry.map_to_frame(face.frame, self._framing),
                detector,
                score=round(sigmoid(face.logit), _SCORE_DECIMALS),
            )
            for face in found
        ]


def _best_score(faces: Sequence[Face]) -> float:
    return max((face.score or 0.0 for face in faces), default=0.0)

"""Searches a picture for faces with the face detector network, from coarse to fine.

The network sees the whole picture first. Where that shows no face, it sees tiles of the picture,
and the picture turned. `candidates` decides with the face refiner which candidates are faces. This
is a cascade like that of Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks" (2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from types import MappingProxyType

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.bounds import FaceBounds, choose_bounds, sigmoid
from image_gender_classifier.detection.candidates import CandidateVerifier
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import Detection, non_max_suppression
from image_gender_classifier.detection.tile_network import TileNetwork, View
from image_gender_classifier.detection.tiling import Tile, choose_tile_sides, make_tiles
from image_gender_classifier.detection.turning import QUARTER_TURNS
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box, Face, Turn
from image_gender_classifier.runtimes import Runtime

# Minimum sides as fractions of `smallest_face`: detected sides scatter around the true side.
_MIN_CANDIDATE_SIDE, _MIN_FACE_SIDE = 0.75, 0.9
_MOST_AT_ONCE = 4  # candidates of the whole picture; if none is a face, a closer look follows
_MOST_UPRIGHT, _MOST_TURNED = 8, 4  # candidates that are screened in a closer look
_MIN_TURNED_LOGIT = -1.3  # of a candidate in the turned picture
_SCORE_DECIMALS = 3  # as in all outputs


class FaceDetector:
    """Detects faces with a face detector network. Thread-safe.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.
        smallest_face: Side of the smallest face to detect, as a fraction of the picture's shorter
            side. None searches as the manifest entry says.
        verifier: Decides about doubtful faces; None if the thresholds of `entry` decide alone.
        all_faces: Whether to detect all faces, not only the main one.
        refiner: Scores candidates and corrects their frames; None to run the face detector network
            on each that is not clear.

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
        all_faces: bool = False,
        refiner: FaceRefiner | None = None,
    ) -> None:
        self._network = TileNetwork(runtime, entry)
        self._framing = Framing(entry.frame_scale, shift_y=0.0)
        self.framings = {entry.detector: Framing(scale=1.0, shift_y=0.0)}
        others = [network.cache_key for network in (verifier, refiner) if network is not None]
        self.cache_key = (*entry.cache_key, smallest_face, all_faces, *others)
        self._entry = entry
        self._candidates = CandidateVerifier(
            self._network, self._framing, verifier, all_faces, refiner
        )
        self._bounds = choose_bounds(entry, None if verifier is None else verifier.output)
        self._smallest = smallest_face
        self._all_faces = all_faces

    def warm_up(self) -> None:
        """Runs the network once, to fail early on a broken model.

        Raises:
            ModelError: The runtime cannot run the network, or the outputs have another shape than
                those of a face detector or are not finite.
            RuntimeMissing: See `Runtime.run`.
        """
        self._network.warm_up()

    def detect(self, picture: Picture, known: Sequence[Box] = ()) -> list[Face]:
        """Detects faces in the whole picture; if there is none, in tiles and in the turned picture.

        By default there is at most one pass over tiles, as the manifest entry says; it finds the
        face of a person who is shown from head to foot. With a smallest face, passes over tiles of
        decreasing size follow until one finds a face. The picture turned by 90, 180 and 270 degrees
        is searched, too, if there are thresholds for that and no face or only a doubtful one was
        found; the surest face tells which way is up.

        Args:
            picture: The picture.
            known: Frames of faces that are already detected, in pixels of the original. These faces
                are not returned. If there are any, the search ends after the first pass, unless all
                faces are wanted.

        Returns:
            The other faces, without gender; boxes are the classifier's frames in pixels of the
            original. Empty if there are none. Faces that cannot be the main face may be missing,
            unless all faces are wanted.

        Raises:
            ModelError, RuntimeMissing: The network cannot be run; see `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        if self._smallest is not None:
            picture = picture.finer()
        if self._all_faces:
            return self._make_faces(self._detect_all(picture, known), self._entry.detector)
        whole, *smaller = self._tile_sides(picture)
        candidates = self._search(picture, whole, known)
        found = self._verify(picture, candidates, self._bounds.first, known, _MOST_AT_ONCE)
        if known or self._is_sure(found):
            return self._make_faces(found, self._entry.detector)
        if found:
            turned = self._verify_promising(picture, self._search_turned(picture))
            found = max(found, turned, key=_best_logit)
        else:
            found = self._look_closer(picture, candidates[_MOST_AT_ONCE:], smaller)
        return self._make_faces(found, self._entry.detector)

    def find_candidates(self, picture: Picture) -> Iterator[Detection]:
        """Yields the best candidates of each pass over a picture, none of them verified.

        Args:
            picture: The picture.

        Yields:
            Candidates of the whole picture, of smaller tiles and of the turned picture; frames in
            pixels of the original.

        Raises:
            ModelError, RuntimeMissing: The network cannot be run; see `Runtime.run`.
        """
        for side in self._tile_sides(picture):
            yield from self._search(picture, side)[:_MOST_UPRIGHT]
        yield from self._search_turned(picture)

    def _is_sure(self, found: Sequence[Detection]) -> bool:
        """Returns whether one of the faces of the first pass is not doubtful."""
        return _best_logit(found) >= self._bounds.first.surest

    def _look_closer(
        self, picture: Picture, others: Sequence[Detection], sides: Sequence[int]
    ) -> list[Detection]:
        """Searches a picture without an obvious face: in smaller tiles, and turned.

        Args:
            picture: The picture.
            others: Candidates of the whole picture that have not been verified.
            sides: Sides of the tiles of each pass.

        Returns:
            The faces of the turn with the surest one.
        """
        turned = self._search_turned(picture)
        for side in sides:
            upright = non_max_suppression([*others, *self._search(picture, side)])
            faces = self._verify_promising(picture, [*upright[:_MOST_UPRIGHT], *turned])
            if faces:
                return faces
            others, turned = [], []
        return self._verify_promising(picture, [*others[:_MOST_UPRIGHT], *turned])

    def _detect_all(self, picture: Picture, known: Sequence[Box]) -> list[Detection]:
        """Detects all faces, in all passes."""
        sides = list(self._tile_sides(picture))
        found = self._detect_in_passes(picture, sides[:1], known)
        sure = self._is_sure(found)
        frames = [*known, *(face.frame for face in found)]
        found += self._detect_in_passes(picture, sides[1:], frames)
        if known or sure:
            return found
        turned = self._verify_promising(picture, self._search_turned(picture))
        if _best_logit(turned) <= _best_logit(found):
            return found
        return self._detect_in_passes(picture, sides, (), turned[0].turn) or turned

    def _verify_promising(
        self, picture: Picture, candidates: Sequence[Detection]
    ) -> list[Detection]:
        """Screens candidates, verifies the rest; returns the faces of the turn of the surest."""
        promising = self._candidates.screen(picture, candidates)
        faces = self._verify(picture, promising, self._bounds.later, refined=promising)
        return [face for face in faces if face.turn == faces[0].turn]

    def _detect_in_passes(
        self, picture: Picture, sides: Iterable[int], known: Sequence[Box], turn: Turn = 0
    ) -> list[Detection]:
        """Detects all faces in tiles of these sides, apart from known ones."""
        found: list[Detection] = []
        for side in sides:
            frames = [*known, *(face.frame for face in found)]
            candidates = self._search(picture, side, frames, turn)
            whole = side == max(picture.pixels.shape[:2])
            bounds = self._bounds.first if whole else self._bounds.later
            found += self._verify(picture, candidates, bounds, frames)
        return found

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
        self, picture: Picture, side: int, known: Sequence[Box] = (), turn: Turn = 0
    ) -> list[Detection]:
        """Returns the candidates in tiles of one size that are not known, the best first."""
        height, width = picture.pixels.shape[:2]
        found = self._network.detect_in_tiles(
            picture, make_tiles(height, width, side), self._bounds.candidate, turn
        )
        least = _MIN_CANDIDATE_SIDE * self._min_side(picture)
        return [face for face in non_max_suppression(found, known) if face.frame.width >= least]

    def _search_turned(self, picture: Picture) -> list[Detection]:
        """Returns the best candidates in the whole picture, turned by 90, 180 and 270 degrees."""
        if self._bounds.turned is None:
            return []
        tile = Tile(0, 0, max(picture.pixels.shape[:2]))
        views = [View(picture, tile, turn) for turn in QUARTER_TURNS]
        seen = self._network.detect_in_sheet(views, max(self._bounds.candidate, _MIN_TURNED_LOGIT))
        found = [face for detections in seen for face in non_max_suppression(detections)]
        return sorted(found, key=lambda face: -face.logit)[:_MOST_TURNED]

    def _verify(
        self,
        picture: Picture,
        candidates: Iterable[Detection],
        bounds: FaceBounds,
        known: Sequence[Box] = (),
        at_once: float = inf,
        refined: Mapping[Detection, Detection] = MappingProxyType({}),
    ) -> list[Detection]:
        """Returns the candidates that are faces and not known, the surest first.

        Args:
            picture: The picture.
            candidates: The candidates.
            bounds: Which logits make an upright candidate a face.
            known: Frames of faces that are already detected.
            at_once: See `CandidateVerifier.find_faces`.
            refined: See `CandidateVerifier.find_faces`.
        """
        turned = self._bounds.turned

        def choose(candidate: Detection) -> FaceBounds:
            return turned if candidate.turn and turned is not None else bounds

        least = _MIN_FACE_SIDE * self._min_side(picture)
        faces = self._candidates.find_faces(picture, candidates, choose, least, at_once, refined)
        return non_max_suppression(faces, known)

    def _min_side(self, picture: Picture) -> float:
        """Returns the side of the smallest face to detect, in pixels of the original."""
        return (self._smallest or 0) * min(picture.height, picture.width)

    def confirm(self, picture: Picture, frames: Iterable[Box], detector: str) -> list[Face]:
        """Verifies the faces of another detector, like candidates of its own.

        Args:
            picture: The picture.
            frames: The classifier's frames around the faces, in pixels of the original.
            detector: Name of the other detector, for the returned faces.

        Returns:
            The confirmed faces in descending order of score, without gender; boxes are the
            classifier's frames as the networks locate them, in pixels of the original.

        Raises:
            ModelError, RuntimeMissing: The network cannot be run; see `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        candidates = [Detection(frame, logit=0.0) for frame in frames]
        return self._make_faces(self._verify(picture, candidates, self._bounds.first), detector)

    def _make_faces(self, found: Iterable[Detection], detector: str) -> list[Face]:
        """Converts detections to faces: scales the frames to the classifier's, logits to scores."""
        return [
            Face(
                geometry.map_to_frame(face.frame, self._framing),
                detector,
                score=round(sigmoid(face.logit), _SCORE_DECIMALS),
                turn=face.turn,
            )
            for face in found
        ]


def _best_logit(faces: Sequence[Detection]) -> float:
    return max((face.logit for face in faces), default=-inf)

"""Searches a picture for faces with the face detector network, from coarse to fine.

The network sees the whole picture first. Where that shows no face, it sees the picture at a higher
resolution, and turned. `candidates` decides with the face refiner which candidates are faces. This
is a cascade like that of Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks" (2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.bounds import choose_bounds, sigmoid
from image_gender_classifier.detection.candidates import CandidateVerifier
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.face_search import FaceSearch, best_logit
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import Detection, non_max_suppression
from image_gender_classifier.detection.tile_network import TileNetwork
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box, Face, Turn
from image_gender_classifier.runtimes import Runtime

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
        verifier_key = None if verifier is None else verifier.cache_key
        refiner_key = None if refiner is None else refiner.entry.cache_key
        choices = smallest_face, all_faces
        self.cache_key = (*entry.cache_key, *choices, verifier_key, refiner_key)
        self._search = FaceSearch(
            self._network,
            entry,
            choose_bounds(entry, None if verifier is None else verifier.output),
            CandidateVerifier(
                self._network, entry.search, self._framing, verifier, all_faces, refiner
            ),
            smallest_face,
        )
        self._name = entry.detector
        self._finer_first = smallest_face is not None
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
        """Detects faces in the picture; if there is none, in a second pass and turned.

        By default there is at most one second pass, as the manifest entry says; it finds the face
        of a person who is shown from head to foot. With a smallest face, passes at increasing
        resolution follow until one finds a face. The picture turned by 90, 180 and 270 degrees
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
        if self._finer_first:
            picture = picture.finer()
        if self._all_faces:
            return self._make_faces(self._detect_all(picture, known), self._name)
        halved = self._search.halve(picture)
        candidates = self._search.find_first_candidates(halved, known)
        found, others = self._search.verify_first(picture, candidates, known)
        if known or self._search.is_sure(found):
            return self._make_faces(found, self._name)
        if found:
            turned = self._detect_turned(picture, halved)
            found = max(found, turned, key=best_logit)
        else:
            found = self._search_closer(picture, halved, others)
        return self._make_faces(found, self._name)

    def find_candidates(self, picture: Picture) -> Iterator[Detection]:
        """Yields the best candidates of each pass over a picture, none of them verified.

        Args:
            picture: The picture.

        Yields:
            Candidates of the whole picture, of later passes and of the turned picture; frames in
            pixels of the original.

        Raises:
            ModelError, RuntimeMissing: The network cannot be run; see `Runtime.run`.
        """
        return self._search.list_best_candidates(picture)

    def _search_closer(
        self, picture: Picture, halved: Picture, others: Sequence[Detection]
    ) -> list[Detection]:
        """Searches a picture without an obvious face: in later passes, and turned.

        Args:
            picture: The picture.
            halved: The picture with fewer pixels; see `FaceSearch.halve`.
            others: Candidates of the whole picture that have not been verified.

        Returns:
            The faces of the turn with the surest one.
        """
        turned = self._search.find_turned_candidates(halved)
        _, *sides = self._search.list_pass_sides(picture)
        for side in sides:
            found = self._search.find_candidates(picture, side)
            upright = non_max_suppression([*others, *found])
            faces = self._search.verify_promising(picture, upright, turned)
            if faces:
                return faces
            others, turned = [], []
        return self._search.verify_promising(picture, others, turned)

    def _detect_turned(self, picture: Picture, halved: Picture) -> list[Detection]:
        """Detects faces in the turned picture; returns those of the turn with the surest one."""
        turned = self._search.find_turned_candidates(halved)
        return self._search.verify_promising(picture, (), turned)

    def _detect_all(self, picture: Picture, known: Sequence[Box]) -> list[Detection]:
        """Detects all faces, in all passes."""
        sides = list(self._search.list_pass_sides(picture))
        found = self._detect_in_passes(picture, sides[:1], known)
        sure = self._search.is_sure(found)
        frames = [*known, *(face.frame for face in found)]
        found += self._detect_in_passes(picture, sides[1:], frames)
        if known or sure:
            return found
        turned = self._detect_turned(picture, self._search.halve(picture))
        if best_logit(turned) <= best_logit(found):
            return found
        return self._detect_in_passes(picture, sides, (), turned[0].turn) or turned

    def _detect_in_passes(
        self, picture: Picture, sides: Iterable[int], known: Sequence[Box], turn: Turn = 0
    ) -> list[Detection]:
        """Detects all faces in passes of these sides, apart from known ones."""
        found: list[Detection] = []
        for side in sides:
            frames = [*known, *(face.frame for face in found)]
            candidates = self._search.find_candidates(picture, side, frames, turn)
            whole = side == max(picture.pixels.shape[:2])
            found += self._search.verify_all(picture, candidates, frames, whole=whole)
        return found

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
        return self._make_faces(self._search.verify_all(picture, candidates, whole=True), detector)

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

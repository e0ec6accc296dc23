"""Decides which candidates are faces.

A large, clear face of the whole picture is one. The face refiner scores any other. If that leaves
doubt, the face detector network runs on a tile around the candidate, in which a face has the size
that it detects best; and if that leaves doubt, the face output of the gender network decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from types import MappingProxyType

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.bounds import FaceBounds, sigmoid
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.detection.geometry import Framing, scale_box
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.detection.tile_network import TileNetwork, View
from image_gender_classifier.detection.tiling import MIN_TILE_SIDE, make_face_tile
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import SearchLogits
from image_gender_classifier.results import Box

_MARGIN = 1.3  # side of a tile divided by the side of the candidate's frame
_CLEAR_SIDE = 0.4  # of a clear candidate's frame, as a fraction of the picture's longer side
_MOST = 4  # candidates that pass the screening
_MAX_SHIFT = 0.3  # of the frame's side, between a candidate and the detection of the same face
_MAX_GROWTH = 1.1  # of a candidate's weight by a larger frame, when it is verified


class CandidateVerifier:
    """Decides which candidates are faces. Thread-safe.

    Args:
        network: The face detector network.
        search: Logits of the network that decide about candidates.
        framing: Maps the network's frames to the classifier's.
        verifier: Decides about doubtful faces; None to accept none.
        all_faces: Whether to verify also candidates that cannot be the main face.
        refiner: Scores candidates first; None if each that is not clear gets a run of the network.
    """

    def __init__(
        self,
        network: TileNetwork,
        search: SearchLogits,
        framing: Framing,
        verifier: FaceVerifier | None,
        all_faces: bool = False,
        refiner: FaceRefiner | None = None,
    ) -> None:
        self._network = network
        self._search = search
        self._refiner = refiner
        self._framing = framing
        self._verifier = verifier
        self._all_faces = all_faces

    def screen(
        self, picture: Picture, candidates: Iterable[Detection]
    ) -> dict[Detection, Detection]:
        """Returns the candidates to which the refiner gives most, at most 4, the best first.

        Args:
            picture: The picture.
            candidates: The candidates, frames in pixels of the original.

        Returns:
            Each candidate with its refined detection; with itself if there is no refiner.

        Raises:
            ModelError, RuntimeMissing: The network cannot be run; see `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        refiner = self._refiner
        if refiner is None:
            refined = {candidate: candidate for candidate in candidates}
        else:
            scored = {candidate: refiner.refine(picture, candidate) for candidate in candidates}
            upright, turned = refiner.entry.screened, refiner.entry.screened_turned
            refined = {
                candidate: face
                for candidate, face in scored.items()
                if face.logit >= (turned if face.turn else upright)
            }
        best = sorted(refined.items(), key=lambda pair: -pair[1].logit)
        return dict(best[:_MOST])

    def find_faces(
        self,
        picture: Picture,
        candidates: Iterable[Detection],
        choose_bounds: Callable[[Detection], FaceBounds],
        min_side: float = 0.0,
        at_once: float = inf,
        refined: Mapping[Detection, Detection] = MappingProxyType({}),
    ) -> Iterator[Detection]:
        """Yields the candidates that are faces.

        Args:
            picture: The picture.
            candidates: The candidates, frames in pixels of the original. Unless all faces are
                wanted, those are skipped that are smaller or farther from the centre than a face
                before them, so that they are unlikely to be the main face.
            choose_bounds: Returns which logits make a candidate a face or a doubtful face.
            min_side: Minimum side of a face's frame, in pixels of the original.
            at_once: If none of this many candidates is a face, the others are not verified.
            refined: Results of `screen`.

        Yields:
            Faces with the frames and logits of the refiner if it is sure, otherwise of `measure`.
            The logit of a doubtful face is `FaceBounds.surest` if the verifier is sure, otherwise
            the lower one of both. A large, clear candidate keeps its frame, and its logit counts
            for both.

        Raises:
            ModelError, RuntimeMissing: A network cannot be run; see `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        heaviest = 0.0
        for number, candidate in enumerate(candidates):
            if number >= at_once and not heaviest:
                return
            if heaviest and not self._all_faces:
                most = candidate._replace(logit=candidate.logit + self._search.largest_gain)
                if _MAX_GROWTH * _weigh(picture, most) < heaviest:
                    continue
            known = refined.get(candidate)
            face = self._verify(picture, candidate, choose_bounds(candidate), known)
            if face is not None and face.frame.width >= min_side:
                heaviest = max(heaviest, _weigh(picture, face))
                yield face

    def measure(self, picture: Picture, candidate: Detection) -> Detection | None:
        """Runs the network on the tile around a candidate.

        Decodes the picture again if the tile is small.

        Args:
            picture: The picture.
            candidate: The candidate, frame in pixels of the original. Its logit is 0 if another
                detector has found it.

        Returns:
            The same face as detected in the tile, frame in pixels of the original; its logit is
            that in the tile plus a part of the candidate's. None if nothing is detected.

        Raises:
            ModelError, RuntimeMissing, UnreadablePicture, Unfinished: See `find_faces`.
        """
        view = _make_view(picture, candidate, _MARGIN, self._network.input_size)
        face = _find_same_face(self._network.detect(view, self._search.tile), candidate)
        if face is None:
            return None
        weight = self._search.candidate_weight
        return face._replace(logit=face.logit + weight * candidate.logit)

    def _verify(
        self,
        picture: Picture,
        candidate: Detection,
        bounds: FaceBounds,
        refined: Detection | None = None,
    ) -> Detection | None:
        """Returns a candidate as `find_faces` does; None if it is no face."""
        clear = self._accept_clear(picture, candidate, bounds)
        if clear is not None:
            return clear
        more = 0.0
        if self._refiner is not None:
            refined = refined or self._refiner.refine(picture, candidate)
            if refined.logit < self._refiner.entry.lowest:
                return None
            surest = max(self._refiner.entry.surest, bounds.surest)
            if refined.logit >= surest and not candidate.turn:
                return refined
            more = self._refiner.entry.tile_weight * refined.logit
        face = self.measure(picture, candidate)
        if face is None:
            return None
        return self._decide(picture, face._replace(logit=face.logit + more), bounds)

    def _decide(self, picture: Picture, face: Detection, bounds: FaceBounds) -> Detection | None:
        """Returns a candidate seen in its own tile if it is a face, otherwise None."""
        if face.logit < bounds.lowest:
            return None
        if face.logit >= bounds.surest:
            return face
        if self._verifier is None:
            return None
        square = geometry.map_to_frame(face.frame, self._framing)
        logit = self._verifier.compute_logit(picture, square, face.logit, face.turn)
        if logit < bounds.verified:
            return None
        # The verifier's logits are larger than the detector's: even a face that it is sure of ranks
        # below the detector's sure faces.
        sure = logit >= self._verifier.output.sure_logit
        return face._replace(logit=bounds.surest if sure else min(logit, face.logit))

    def _accept_clear(
        self, picture: Picture, candidate: Detection, bounds: FaceBounds
    ) -> Detection | None:
        """Returns a large, clear candidate with the logit of a face; None for any other.

        In its own tile, its frame would be a few percent smaller or larger, but the predicted
        gender as accurate (docs/experiments.md). The logit there is taken to be the candidate's.
        """
        if candidate.frame.width < _CLEAR_SIDE * max(picture.width, picture.height):
            return None
        logit = (1 + self._search.candidate_weight) * candidate.logit
        if candidate.logit < bounds.clear or logit < bounds.surest:
            return None
        return candidate._replace(logit=logit)


def _make_view(picture: Picture, candidate: Detection, margin: float, size: int) -> View:
    """Returns the view of a candidate, in the finer picture if `size` pixels need that.

    Args:
        picture: The picture.
        candidate: The candidate, frame in pixels of the original.
        margin: Side of the view's tile divided by the side of the frame.
        size: Side of the view in the network's input, in pixels.
    """
    if margin * candidate.frame.width < MIN_TILE_SIDE * size * picture.scale:
        picture = picture.finer()
    in_pixels = scale_box(candidate.frame, 1 / picture.scale)
    tile = make_face_tile(in_pixels, margin, *picture.pixels.shape[:2])
    return View(picture, tile, candidate.turn)


def _find_same_face(detections: Iterable[Detection], candidate: Detection) -> Detection | None:
    """Returns the first detection whose centre is close to a candidate's; None without one."""
    frame = candidate.frame
    return next(
        (face for face in detections if _distance(face.frame, frame) <= _MAX_SHIFT * frame.width),
        None,
    )


def _distance(one: Box, other: Box) -> float:
    """Returns the distance of the centres of two boxes, the larger of across and down."""
    across = abs(one.x + one.width / 2 - other.x - other.width / 2)
    down = abs(one.y + one.height / 2 - other.y - other.height / 2)
    return max(across, down)


def _weigh(picture: Picture, face: Detection) -> float:
    """Returns the weight of a detection as the main face."""
    return geometry.weigh_main_face(face.frame, sigmoid(face.logit), picture.width, picture.height)

"""Steps of the search for faces: candidates of each pass and of the turned picture; decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from types import MappingProxyType

from image_gender_classifier.detection.bounds import FaceBounds, SearchBounds
from image_gender_classifier.detection.candidates import CandidateVerifier
from image_gender_classifier.detection.heatmap import Detection, non_max_suppression
from image_gender_classifier.detection.tile_network import TileNetwork, View
from image_gender_classifier.detection.tiling import Tile, choose_pass_sides
from image_gender_classifier.detection.turning import QUARTER_TURNS
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.resizing import halve_repeatedly
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box, Turn

# Minimum sides as fractions of `smallest_face`: detected sides scatter around the true side.
_MIN_CANDIDATE_SIDE, _MIN_FACE_SIDE = 0.75, 0.9
_MOST_AT_ONCE = 4  # candidates of the whole picture; if none is a face, the search goes on
_MOST_UPRIGHT, _MOST_TURNED = 12, 4  # candidates that are screened later


class FaceSearch:
    """Finds candidates and decides which are faces. Thread-safe.

    All frames are in pixels of the original picture. The methods raise ModelError and
    RuntimeMissing if a network cannot be run, and those that verify candidates also
    UnreadablePicture and Unfinished if the picture cannot be decoded again by `Picture.finer`.

    Args:
        network: The face detector network.
        entry: Its manifest entry.
        bounds: The bounds on the logits.
        candidates: Decides which candidates are faces.
        smallest_face: Side of the smallest face to detect, as a fraction of the picture's shorter
            side; None to search as the manifest entry says.
    """

    def __init__(
        self,
        network: TileNetwork,
        entry: FaceDetectorEntry,
        bounds: SearchBounds,
        candidates: CandidateVerifier,
        smallest_face: float | None,
    ) -> None:
        self._network = network
        self._entry = entry
        self._bounds = bounds
        self._candidates = candidates
        self._smallest = smallest_face

    def list_pass_sides(self, picture: Picture) -> Iterator[int]:
        """Yields the side of each pass (see `choose_pass_sides`); the first shows the picture."""
        height, width = picture.pixels.shape[:2]
        return choose_pass_sides(
            height,
            width,
            self._smallest,
            self._entry.smallest_face,
            self._network.input_size,
            second_pass=self._entry.second_threshold is not None,
        )

    def halve(self, picture: Picture) -> Picture:
        """Returns the picture with as few pixels as the first pass and turned views need."""
        pixels, factor = halve_repeatedly(picture.pixels, self._network.input_size)
        if factor == 1:
            return picture
        return picture._replace(pixels=pixels, decode_finer=picture.finer)

    def find_first_candidates(self, halved: Picture, known: Sequence[Box] = ()) -> list[Detection]:
        """Returns the candidates of the first pass, which shows the whole picture.

        Args:
            halved: The picture; see `halve`.
            known: See `find_candidates`.
        """
        return self.find_candidates(halved, max(halved.pixels.shape[:2]), known)

    def find_candidates(
        self, picture: Picture, side: int, known: Sequence[Box] = (), turn: Turn = 0
    ) -> list[Detection]:
        """Returns the candidates of a pass that are not known, the best first.

        Args:
            picture: The picture.
            side: Side of the pass in pixels of `picture.pixels`; see `choose_pass_sides`.
            known: Frames of faces that are already detected.
            turn: Turn of the picture.
        """
        # With a smallest face, overlapping tiles find more: they show most faces several times.
        large = self._smallest is None
        found = self._network.detect_in_pass(
            picture, side, self._bounds.candidate, turn, large=large
        )
        least = _MIN_CANDIDATE_SIDE * self._min_side(picture)
        return [face for face in non_max_suppression(found, known) if face.frame.width >= least]

    def find_turned_candidates(self, picture: Picture) -> list[Detection]:
        """Returns the best candidates in the whole picture, turned by 90, 180 and 270 degrees."""
        if self._bounds.turned is None:
            return []
        tile = Tile(0, 0, max(picture.pixels.shape[:2]))
        views = [View(picture, tile, turn) for turn in QUARTER_TURNS]
        least = max(self._bounds.candidate, self._entry.search.turned)
        seen = self._network.detect_in_sheet(views, least)
        found = [face for detections in seen for face in non_max_suppression(detections)]
        return sorted(found, key=lambda face: -face.logit)[:_MOST_TURNED]

    def list_best_candidates(self, picture: Picture) -> Iterator[Detection]:
        """Yields the best candidates of each pass over a picture, also of the turned picture."""
        halved = self.halve(picture)
        yield from self.find_first_candidates(halved)[:_MOST_UPRIGHT]
        _, *sides = self.list_pass_sides(picture)
        for side in sides:
            yield from self.find_candidates(picture, side)[:_MOST_UPRIGHT]
        yield from self.find_turned_candidates(halved)

    def verify_first(
        self, picture: Picture, candidates: Sequence[Detection], known: Sequence[Box] = ()
    ) -> tuple[list[Detection], Sequence[Detection]]:
        """Verifies candidates of the whole picture; only the best few if none of them is a face.

        Args:
            picture: The picture.
            candidates: The candidates, the best first.
            known: Frames of faces that are already detected.

        Returns:
            The faces that are not known, the surest first, and the candidates that are left if
            there are none.
        """
        at_once = _MOST_AT_ONCE
        if not known:  # otherwise the search may end here
            best = candidates[:_MOST_AT_ONCE]
            at_once = sum(candidate.logit >= self._entry.search.first for candidate in best)
        faces = self._verify(picture, candidates, self._bounds.first, known, at_once)
        return faces, candidates[at_once:]

    def verify_promising(
        self, picture: Picture, upright: Sequence[Detection], turned: Sequence[Detection]
    ) -> list[Detection]:
        """Screens the best candidates of a later pass, and verifies those that are left.

        Args:
            picture: The picture.
            upright: Candidates of the upright picture, the best first; those with low logits are
                ignored.
            turned: Candidates of the turned picture.

        Returns:
            The faces, the surest first, that have the turn of the surest one.
        """
        least = self._entry.search.later
        best = [face for face in upright[:_MOST_UPRIGHT] if face.logit >= least]
        promising = self._candidates.screen(picture, [*best, *turned])
        faces = self._verify(picture, promising, self._bounds.later, refined=promising)
        return [face for face in faces if face.turn == faces[0].turn]

    def verify_all(
        self,
        picture: Picture,
        candidates: Iterable[Detection],
        known: Sequence[Box] = (),
        *,
        whole: bool,
    ) -> list[Detection]:
        """Verifies all candidates.

        Args:
            picture: The picture.
            candidates: The candidates.
            known: Frames of faces that are already detected.
            whole: Whether the candidates are of the whole picture, not of a later pass.

        Returns:
            The faces that are not known, the surest first.
        """
        bounds = self._bounds.first if whole else self._bounds.later
        return self._verify(picture, candidates, bounds, known)

    def is_sure(self, faces: Sequence[Detection]) -> bool:
        """Returns whether one of the faces in the whole picture is not doubtful."""
        return best_logit(faces) >= self._bounds.first.surest

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


def best_logit(faces: Iterable[Detection]) -> float:
    """Returns the highest logit; minus infinity without a face."""
    return max((face.logit for face in faces), default=-inf)

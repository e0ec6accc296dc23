"""Which candidates are verified, and how: by the refiner, in tiles of their own, or not at all."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from marks import (
    ENTRY,
    REFINER_ENTRY,
    SIZE,
    Marks,
    RefinerMarks,
    UprightMarks,
    head,
    marked,
    middle,
    refiner,
    turn_picture,
)

from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.geometry import sort_main_face_first
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box


@pytest.mark.parametrize("number", range(12))
def test_a_face_among_many_other_candidates_is_found(number: int) -> None:
    """Twelve equal candidates; the refiner is sure of one, which has green below."""
    picture = marked(600, 600, 0, 0, 0)
    for index in range(12):
        row, column = divmod(index, 4)
        top, left = 70 + 180 * row, 40 + 140 * column
        picture.pixels[top : top + 40, left : left + 40] = (255, 0, 0)
        if index == number:
            picture.pixels[top + 40 : top + 50, left : left + 40] = (0, 255, 0)
            expected = 2 * (left + 20), 2 * (top + 20)
    entry = ENTRY._replace(candidate_threshold=0.1, second_threshold=0.5)
    runtime = Marks(logits=(-1.6, -1.6))
    (face,) = FaceDetector(runtime, entry, refiner=refiner(logits=(-9, 9))).detect(picture)
    assert middle(face.box) == pytest.approx(expected, abs=8)


def test_candidates_that_the_refiner_rejects_are_not_verified() -> None:
    """The network would be sure of each in a tile of its own."""

    class SureInTiles(Marks):
        def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
            return width >= 40

    picture = marked(400, 400, 150, 150, 90)
    for logit, found in ((-4, False), (-2, True)):
        runtime = SureInTiles(logits=(-1, 4))
        looker = refiner(logits=(logit, logit))
        assert bool(FaceDetector(runtime, ENTRY, refiner=looker).detect(picture)) is found


@pytest.mark.parametrize(("logit", "passes"), [(3.0, 1), (2.9, 2)])
def test_a_face_of_which_the_refiner_is_sure_needs_no_tile(logit: float, passes: int) -> None:
    """Half of the candidate's logit, -1, is added; the bound is 2.5."""
    runtime = Marks(sure_from=1500, logits=(-1, 4))
    looker = refiner(logits=(logit, logit))
    (face,) = FaceDetector(runtime, ENTRY, refiner=looker).detect(marked(400, 400, 150, 150, 90))
    assert runtime.calls == passes
    assert middle(face.box) == pytest.approx((2 * 195, 2 * 195), abs=4)
    assert face.box.width == pytest.approx(2 * 2 * 90, abs=8)


def test_a_threshold_above_the_refiners_logit_holds() -> None:
    """A score of 0.99 is a logit of 4.6; the network has 4 - 0.5 in the tile, the refiner 3."""
    picture = marked(400, 400, 150, 150, 90)
    for threshold, found in ((0.9, True), (0.99, False)):
        entry = ENTRY._replace(threshold=threshold)
        runtime = Marks(sure_from=1500, logits=(-1, 4))
        looker = refiner(logits=(3.5, 3.5))
        assert bool(FaceDetector(runtime, entry, refiner=looker).detect(picture)) is found


def test_a_turned_face_needs_a_tile_of_its_own_even_if_the_refiner_is_sure() -> None:
    """Runs: the whole picture, the turned views, the tile of the face."""
    lying = turn_picture(head(400, 400, 90, 90, 200), 90)
    runtime = UprightMarks()
    entry = ENTRY._replace(turned_threshold=0.6)
    (face,) = FaceDetector(runtime, entry, refiner=refiner(logits=(9, 9))).detect(lying)
    assert (face.turn, runtime.calls) == (270, 3)


class SmallFirst(Marks):
    """Is surer of small marks in the whole picture, and sure of each in a tile of its own."""

    def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        return width <= 12 or width >= 40


def test_a_large_face_is_found_behind_many_surer_small_ones() -> None:
    """It is the seventh candidate by logit; only four are verified if none of them is a face."""
    picture = marked(400, 400, 150, 150, 90)
    for top in (5, 365):
        for left in (5, 185, 365):
            picture.pixels[top : top + 30, left : left + 30] = (255, 0, 0)
    faces = FaceDetector(SmallFirst(logits=(-1, 4)), ENTRY).detect(picture)
    main = sort_main_face_first(faces, picture.width, picture.height)[0]
    assert middle(main.box) == pytest.approx((2 * 195, 2 * 195), abs=8)


@pytest.mark.parametrize(("side", "faces"), [(69, 2), (62, 1)])
def test_a_slightly_smaller_candidate_may_have_a_larger_frame(side: int, faces: int) -> None:
    """The other mark has a side of 75, and is as far from the centre."""
    picture = marked(400, 400, 163, 63, 75)
    start = 200 - side // 2
    picture.pixels[start : start + side, 300 - side // 2 : 300 - side // 2 + side] = (255, 0, 0)
    assert len(FaceDetector(Marks(logits=(2, 2)), ENTRY).detect(picture)) == faces


def test_a_candidate_gets_a_tile_of_its_own() -> None:
    """The mark is 32 pixels wide in the first pass, then 49."""
    runtime = Marks(sure_from=46 * 46, logits=(-1, 1.5))
    (face,) = FaceDetector(runtime, ENTRY).detect(marked(400, 400, 160, 160, 100))
    assert middle(face.box) == pytest.approx((2 * 210, 2 * 210), abs=4)


@pytest.mark.parametrize(("logit", "found"), [(2.0, True), (-2.0, True), (-2.9, False)])
def test_the_refiners_doubt_counts_in_the_tile(logit: float, found: bool) -> None:
    """Logits: 1 in the tile, -1 before, of which half counts; a fifth of the refiner's is added."""
    runtime = Marks(sure_from=1500, logits=(-1, 1.05))
    looker = refiner(logits=(logit + 0.5, logit + 0.5))
    picture = marked(400, 400, 150, 150, 90)
    assert bool(FaceDetector(runtime, ENTRY, refiner=looker).detect(picture)) is found


@pytest.mark.parametrize(
    ("side", "logit", "passes"),
    [(85, 0.95, 1), (75, 0.95, 2), (85, 0.85, 2)],
    ids=["large and clear", "too small", "not clear"],
)
def test_a_large_clear_face_needs_one_pass(side: int, logit: float, passes: int) -> None:
    """A frame is twice as wide as its mark: 42 and 37 % of the longer side."""
    runtime = Marks(logits=(logit, logit))
    (face,) = FaceDetector(runtime, ENTRY).detect(marked(300, 400, 100, 150, side))
    assert runtime.calls == passes
    assert face.box.width == pytest.approx(2 * 2 * side, abs=8)
    assert middle(face.box) == pytest.approx((2 * (150 + side / 2), 2 * (100 + side / 2)), abs=8)
    assert face.score == pytest.approx(1 / (1 + np.exp(-1.5 * logit)), abs=0.001)


def test_a_large_face_below_the_threshold_of_the_model_gets_its_own_tile() -> None:
    """The network is sure of it only there: 1.5 times a logit of 1 is a score of 0.82."""
    runtime = Marks(sure_from=1500, logits=(1, 4))
    entry = ENTRY._replace(threshold=0.85)
    (face,) = FaceDetector(runtime, entry).detect(marked(300, 400, 100, 150, 85))
    assert face.score is not None
    assert face.score > 0.98


def test_a_large_clear_face_keeps_to_the_smallest_face() -> None:
    """Its side is half of the shorter side."""
    picture = marked(400, 400, 150, 150, 100)
    for smallest, found in ((0.5, True), (0.65, False)):
        assert bool(FaceDetector(Marks(), ENTRY, smallest).detect(picture)) is found


@pytest.mark.parametrize("all_faces", [False, True])
def test_a_large_object_in_a_tile_of_the_second_pass_is_verified(all_faces: bool) -> None:
    """The network is sure of it there, but neither in the whole picture nor in its own tile."""

    class OnlyInSecondPass(Marks):
        def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
            return 46 <= width <= 48

    runtime = OnlyInSecondPass(logits=(-3, 4))
    entry = ENTRY._replace(second_threshold=0.5)
    picture = marked(400, 400, 100, 30, 85)
    assert FaceDetector(runtime, entry, all_faces=all_faces).detect(picture) == []


def test_a_turned_face_is_seen_again_at_full_resolution() -> None:
    """Runs: the whole picture, the turned views, the tile of the face."""
    lying = turn_picture(head(400, 400, 90, 90, 200), 90)
    runtime = UprightMarks()
    (face,) = FaceDetector(runtime, ENTRY._replace(turned_threshold=0.6)).detect(lying)
    assert face.turn == 270
    assert runtime.calls == 3


def test_small_faces_are_verified_at_a_higher_resolution() -> None:
    """The tile of an 80 pixel box is large enough (104 pixels), that of a 60 pixel box is not."""
    for side, decodings in ((40, 0), (30, 1)):
        asked: list[int] = []
        fine = marked(800, 800, 300, 340, 2 * side)

        def decode(fine: Picture = fine, asked: list[int] = asked) -> Picture:
            asked.append(1)
            return fine._replace(width=1600, height=1600)

        quick = fine._replace(pixels=fine.pixels[::2, ::2], decode_finer=cache(decode))
        (face,) = FaceDetector(Marks(), ENTRY).detect(quick)
        assert len(asked) == decodings
        assert middle(face.box) == pytest.approx((2 * (340 + side), 2 * (300 + side)), abs=8)
        assert face.box.width == pytest.approx(2 * 2 * 2 * side, abs=16)


class Steps(Marks):
    """Has logits for the whole picture and the second pass, and 4 in a mark's own tile.

    Sees nothing in turned views.
    """

    def __init__(self, whole: float, second: float) -> None:
        super().__init__()
        self._whole, self._second = whole, second

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        boxes, heat = super().run(crops)
        own = np.exp(boxes[..., 2:]) > 0.5
        logit = {SIZE: self._whole, SIZE // 2: -9}.get(crops.shape[2], self._second)
        return boxes, np.where((heat > 0) & ~own, np.float32(logit), heat)


SEARCHED = ENTRY._replace(
    candidate_threshold=0.1, second_threshold=0.5, turned_threshold=0.6, largest_input=256
)
SMALL_MARK = marked(400, 400, 180, 180, 40)


@pytest.mark.parametrize(("logit", "passes"), [(-1.4, 1), (-1.6, 3)])
def test_a_candidate_with_a_low_logit_waits_for_the_second_pass(logit: float, passes: int) -> None:
    """Passes: the whole picture; then the second one and the turned views."""
    runtime = Steps(whole=logit, second=-1)
    (face,) = FaceDetector(runtime, SEARCHED, refiner=refiner(logits=(9, 9))).detect(SMALL_MARK)
    assert middle(face.box) == pytest.approx((400, 400), abs=8)
    assert runtime.calls == passes


def test_a_candidate_that_waits_is_not_lost() -> None:
    """The second pass does not see it."""
    detector = FaceDetector(Steps(-1.6, -9), SEARCHED, refiner=refiner(logits=(9, 9)))
    (face,) = detector.detect(SMALL_MARK)
    assert middle(face.box) == pytest.approx((400, 400), abs=8)


def test_a_candidate_with_a_low_logit_does_not_wait_where_the_search_ends() -> None:
    runtime = Steps(whole=-1.6, second=-9)
    detector = FaceDetector(runtime, SEARCHED, refiner=refiner(logits=(9, 9)))
    (face,) = detector.detect(SMALL_MARK, known=[Box(0, 0, 90, 90)])
    assert middle(face.box) == pytest.approx((400, 400), abs=8)


@pytest.mark.parametrize(("logit", "found"), [(-1.6, True), (-1.7, False)])
def test_candidates_of_the_second_pass_need_more_than_a_threshold(
    logit: float, found: bool
) -> None:
    """The threshold of 0.1 is a logit of -2.2."""
    detector = FaceDetector(Steps(-9, logit), SEARCHED, refiner=refiner(logits=(9, 9)))
    assert bool(detector.detect(SMALL_MARK)) is found


@pytest.mark.parametrize(
    ("logit", "lowest", "first", "found"),
    [(-1.95, -3, False, True), (-2.05, -3, False, False), (-2.05, -3, True, True)]
    + [(-1, -1, first, False) for first in (False, True)],
)
def test_the_refiner_rejects_more_of_the_later_candidates(
    logit: float, lowest: float, first: bool, found: bool
) -> None:
    """Half of the candidate's logit, -1, is added."""
    looker = FaceRefiner(RefinerMarks((logit, logit)), REFINER_ENTRY._replace(lowest=lowest))
    runtime = Steps(-1, -9) if first else Steps(-9, -1)
    detector = FaceDetector(runtime, SEARCHED, refiner=looker)
    assert bool(detector.detect(SMALL_MARK)) is found


@pytest.mark.parametrize(("logit", "found"), [(-1.7, True), (-1.8, False)])
def test_the_refiner_rejects_more_of_the_turned_candidates(logit: float, found: bool) -> None:
    """Half of the candidate's logit, -1, is added."""

    class SureInTiles(UprightMarks):
        def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
            return bool(crop.shape[1] == SIZE)

    looker = FaceRefiner(RefinerMarks((logit, logit)), REFINER_ENTRY._replace(lowest=-3))
    lying = turn_picture(head(400, 400, 90, 90, 200), 90)
    faces = FaceDetector(SureInTiles(), SEARCHED, refiner=looker).detect(lying)
    assert [face.turn for face in faces] == [270] * found

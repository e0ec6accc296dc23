"""Which candidates are verified, and how: in sheets, in tiles of their own, or not at all."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from marks import ENTRY, SIZE, Marks, UprightMarks, head, marked, middle, turn_picture

from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.geometry import sort_main_face_first
from image_gender_classifier.imaging.picture import Picture


class SureOfUpright(UprightMarks):
    """Sees every mark, and is sure of one only where it is large and green is below it."""

    def sees(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        return True

    def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        return width >= 20 and super().sees(crop, left, top, width)


@pytest.mark.parametrize("number", range(12))
def test_a_face_among_many_other_candidates_is_found(number: int) -> None:
    """Twelve equal candidates; only one turns out to be a face in a tile of its own."""
    picture = marked(600, 600, 0, 0, 0)
    for index in range(12):
        row, column = divmod(index, 4)
        top, left = 70 + 180 * row, 40 + 140 * column
        picture.pixels[top : top + 40, left : left + 40] = (255, 0, 0)
        if index == number:
            picture.pixels[top + 20 : top + 40, left : left + 40] = (0, 255, 0)
            expected = 2 * (left + 20), 2 * (top + 10)
    entry = ENTRY._replace(candidate_threshold=0.1, second_threshold=0.5)
    runtime = SureOfUpright(sure_from=1, logits=(-1.6, 4))
    (face,) = FaceDetector(runtime, entry).detect(picture)
    assert middle(face.box) == pytest.approx(expected, abs=12)


class BlindInSheets(Marks):
    """Sees marks of the size that they have in the second pass, and in tiles of their own."""

    def sees(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        return 12 <= width <= 18 or self.is_sure(crop, left, top, width)

    def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        return width >= 40


@pytest.mark.parametrize(("logit", "found"), [(-0.7, True), (-0.9, False)])
def test_a_clear_candidate_is_kept_if_its_sheet_does_not_show_it(logit: float, found: bool) -> None:
    """Marks are 9 pixels wide in the first pass, 15 in the second, 21 in a sheet."""
    runtime = BlindInSheets(logits=(logit, 4))
    picture = marked(400, 400, 10, 10, 28)
    for top, left in ((10, 350), (350, 10)):
        picture.pixels[top : top + 28, left : left + 28] = (255, 0, 0)
    faces = FaceDetector(runtime, ENTRY._replace(second_threshold=0.5)).detect(picture)
    assert bool(faces) is found


@pytest.mark.parametrize(("blind", "found"), [(range(13, 40), False), (range(0), True)])
def test_turned_candidates_are_kept_only_if_sheets_show_them(blind: range, found: bool) -> None:
    """Marks are 9 pixels wide in the turned view, 21 in a sheet, 49 in tiles of their own."""

    class Upright(UprightMarks):
        def sees(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
            return width not in blind and super().sees(crop, left, top, width)

        def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
            return width >= 40

    picture = head(400, 400, 20, 20, 60)
    for top, left in ((20, 300), (300, 20)):
        picture.pixels[top : top + 60, left : left + 60] = head(60, 60, 0, 0, 60).pixels
    entry = ENTRY._replace(turned_threshold=0.5)
    faces = FaceDetector(Upright(logits=(-0.7, 4)), entry).detect(turn_picture(picture, 90))
    assert bool(faces) is found
    assert all(face.turn == 270 for face in faces)


def test_what_sheets_show_comes_before_clear_candidates() -> None:
    """Six marks are small; sheets show the four that are not white below."""

    class OneBlind(BlindInSheets):
        def sees(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
            below = crop[min(top + width + 2, SIZE - 1), left + width // 2]
            in_sheet = 19 <= width <= 23
            return super().sees(crop, left, top, width) or (in_sheet and below[0] < 127)

    picture = marked(400, 400, 0, 0, 0)
    for index, (top, left) in enumerate(
        (top, left) for top in (10, 350) for left in (20, 180, 340)
    ):
        picture.pixels[top : top + 28, left : left + 28] = (255, 0, 0)
        if index < 2:
            picture.pixels[top + 28 : top + 48, left : left + 28] = 255
    runtime = OneBlind(logits=(-0.7, 4))
    entry = ENTRY._replace(second_threshold=0.5)
    faces = FaceDetector(runtime, entry).detect(picture)
    assert faces
    whites = [(2 * (20 + 14), 2 * 24), (2 * (180 + 14), 2 * 24)]
    for face in faces:
        assert all(middle(face.box) != pytest.approx(white, abs=20) for white in whites)


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
            return replace(fine, width=1600, height=1600)

        quick = replace(fine, pixels=fine.pixels[::2, ::2], decode_finer=cache(decode))
        (face,) = FaceDetector(Marks(), ENTRY).detect(quick)
        assert len(asked) == decodings
        assert middle(face.box) == pytest.approx((2 * (340 + side), 2 * (300 + side)), abs=8)
        assert face.box.width == pytest.approx(2 * 2 * 2 * side, abs=16)

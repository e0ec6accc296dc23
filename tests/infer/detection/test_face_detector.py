"""The face detector network: passes over the picture and tiles around candidates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st
from marks import ENTRY, SIZE, Marks, UprightMarks, head, marked, middle, turn_picture

from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.errors import ModelError, UnreadablePicture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box, Turn

EXTENTS = st.integers(1, 2000)


def test_boxes_are_in_pixels_of_the_original() -> None:
    (face,) = FaceDetector(Marks(), ENTRY).detect(marked(300, 400, 150, 200, 40))
    assert face.detector == "cnn"
    assert face.box.width == pytest.approx(2 * 2 * 40, abs=4)
    assert middle(face.box) == pytest.approx((2 * 220, 2 * 170), abs=4)


def test_a_candidate_not_confirmed_by_its_own_tile_is_dropped() -> None:
    runtime = Marks(sure_from=SIZE * SIZE + 1, logits=(-0.5, 4))
    assert FaceDetector(runtime, ENTRY).detect(marked(400, 400, 160, 160, 100)) == []


def test_a_second_pass_finds_what_the_first_missed() -> None:
    """The mark has 10 pixels in the first pass and 17 in the second, where its tile is 58 %."""
    picture = marked(400, 400, 300, 310, 32)
    once, twice = (
        FaceDetector(Marks(least=13 * 13), ENTRY._replace(second_threshold=second))
        for second in (None, 0.6)
    )
    assert once.detect(picture) == []
    (face,) = twice.detect(picture)
    assert middle(face.box) == pytest.approx((2 * 326, 2 * 316), abs=8)


def test_the_second_pass_has_a_threshold_of_its_own() -> None:
    picture = marked(400, 400, 300, 310, 32)
    runtime = Marks(least=13 * 13, logits=(1, 1))
    assert FaceDetector(runtime, ENTRY._replace(second_threshold=0.9)).detect(picture) == []
    assert FaceDetector(runtime, ENTRY._replace(second_threshold=0.7)).detect(picture)
    easy = marked(400, 400, 150, 150, 100)
    for every in (False, True):
        entry = ENTRY._replace(second_threshold=0.9)
        assert FaceDetector(runtime, entry, all_faces=every).detect(easy)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [(400, 300), (300, 400), (350, 350)])
def test_pictures_are_turned_where_nothing_else_is_found(turn: Turn, size: tuple[int, int]) -> None:
    upright = head(*size, 100, 90, 110)
    back: dict[Turn, Turn] = {0: 0, 90: 270, 180: 180, 270: 90}
    lying = turn_picture(upright, back[turn])
    entry = ENTRY._replace(turned_threshold=0.6)
    (face,) = FaceDetector(UprightMarks(), entry).detect(lying)
    assert face.turn == turn
    where = np.argwhere(lying.pixels[..., 0])
    y, x = (where.min(axis=0) + where.max(axis=0) + 1) / 2
    assert middle(face.box) == pytest.approx((2 * x, 2 * y), abs=10)
    assert face.box.width == pytest.approx(2 * 2 * 110, abs=20)
    (every,) = FaceDetector(UprightMarks(), entry, all_faces=True).detect(lying)
    assert every.turn == turn
    assert middle(every.box) == pytest.approx(middle(face.box), abs=10)
    if turn:
        assert FaceDetector(UprightMarks(), ENTRY).detect(lying) == []
        sure = ENTRY._replace(turned_threshold=0.999)
        assert FaceDetector(UprightMarks(), sure).detect(lying) == []


def test_all_faces_of_a_turned_picture_are_found() -> None:
    """One of the two is too small for the turned view of the whole picture."""
    picture = head(600, 600, 200, 180, 200)
    picture.pixels[40:70, 500:530] = head(30, 30, 0, 0, 30).pixels
    lying = turn_picture(picture, 90)
    entry = ENTRY._replace(turned_threshold=0.6, second_threshold=0.6)
    faces = FaceDetector(UprightMarks(least=12), entry, all_faces=True).detect(lying)
    assert [face.turn for face in faces] == [270, 270]


def test_a_face_that_cannot_be_the_main_face_is_left_out() -> None:
    picture = marked(400, 400, 150, 150, 100)
    picture.pixels[10:40, 10:40] = (255, 0, 0)
    runtime = Marks(sure_from=300, logits=(-0.5, 4))
    (main,) = FaceDetector(runtime, ENTRY).detect(picture)
    assert middle(main.box) == pytest.approx((2 * 200, 2 * 200), abs=8)
    both = FaceDetector(runtime, ENTRY, all_faces=True).detect(picture)
    assert {round(face.box.width / 40) for face in both} == {3, 10}


def test_a_picture_that_cannot_be_decoded_again_is_unreadable() -> None:
    def fail() -> Picture:
        raise UnreadablePicture("The file is gone.")

    quick = marked(400, 400, 150, 170, 30)._replace(decode_finer=fail)
    with pytest.raises(UnreadablePicture, match="gone"):
        FaceDetector(Marks(), ENTRY).detect(quick)
    with pytest.raises(UnreadablePicture, match="gone"):
        FaceDetector(Marks(), ENTRY).confirm(quick, [Box(310, 270, 120, 120)], "lbp")


def test_faces_of_another_stage_are_confirmed_with_better_boxes() -> None:
    picture = marked(400, 400, 160, 160, 100)
    rough = Box(2 * 120, 2 * 130, 2 * 170, 2 * 170)
    nothing = Box(0, 0, 100, 100)
    runtime = Marks()
    (face,) = FaceDetector(runtime, ENTRY).confirm(picture, [nothing, rough], "lbp")
    assert face.detector == "lbp"
    assert face.box.width == pytest.approx(2 * 200, abs=8)
    assert middle(face.box) == pytest.approx((2 * 210, 2 * 210), abs=4)
    assert FaceDetector(runtime, ENTRY).confirm(picture, [], "lbp") == []


def test_verification_keeps_to_its_candidate() -> None:
    """The tile of the small box shows a mark, but next to the box."""
    picture = marked(400, 400, 160, 160, 20)
    beside = Box(2 * 150, 2 * 168, 2 * 20, 2 * 20)
    assert FaceDetector(Marks(), ENTRY).confirm(picture, [beside], "lbp") == []


def test_smaller_tiles_follow_a_pass_without_a_face() -> None:
    """The mark is too small to be a face in the first pass."""
    runtime = Marks(least=60)
    assert FaceDetector(runtime, ENTRY).detect(marked(400, 400, 300, 310, 20)) == []
    (face,) = FaceDetector(runtime, ENTRY, 0.05).detect(marked(400, 400, 300, 310, 20))
    assert runtime.calls > 2
    assert face.box.width == pytest.approx(2 * 2 * 20, abs=4)
    assert middle(face.box) == pytest.approx((2 * 320, 2 * 310), abs=4)


def test_smaller_faces_are_searched_or_skipped_by_the_smallest_face() -> None:
    small = marked(400, 400, 300, 310, 20)
    for smallest, found in ((None, False), (0.05, True), (0.5, False)):
        assert bool(FaceDetector(Marks(least=150), ENTRY, smallest).detect(small)) is found


def test_a_face_verified_as_too_small_is_dropped() -> None:
    """The box is half of the side of the picture."""
    picture = marked(400, 400, 150, 150, 100)
    runtime = Marks(logits=(0.5, 0.5))  # not clear
    for smallest, found in ((0.4, True), (0.5, True), (0.6, False), (0.65, False)):
        assert bool(FaceDetector(runtime, ENTRY, smallest).detect(picture)) is found


def test_a_face_that_is_too_small_leaves_others_their_chance() -> None:
    """It is in the centre and would be the main face, but for its size."""
    picture = marked(400, 400, 170, 170, 60)
    picture.pixels[315:385, 315:385] = (255, 0, 0)
    (face,) = FaceDetector(Marks(), ENTRY, 0.35).detect(picture)
    assert middle(face.box) == pytest.approx((2 * 350, 2 * 350), abs=8)


def test_a_known_face_is_not_searched_again() -> None:
    picture = marked(400, 400, 170, 170, 60)
    runtime = Marks()
    (face,) = FaceDetector(runtime, ENTRY).detect(picture)
    calls, runtime.calls = runtime.calls, 0
    assert FaceDetector(runtime, ENTRY).detect(picture, [face.box]) == []
    assert runtime.calls < calls


def test_all_faces_runs_every_pass() -> None:
    picture = marked(400, 400, 300, 310, 20)
    runtime = Marks()
    assert len(FaceDetector(runtime, ENTRY, 0.05).detect(picture)) == 1
    calls = runtime.calls
    assert len(FaceDetector(runtime, ENTRY, 0.05, all_faces=True).detect(picture)) == 1
    assert runtime.calls > 2 * calls


def test_no_face_is_detected_in_an_empty_picture() -> None:
    assert FaceDetector(Marks(), ENTRY).detect(marked(300, 200, 0, 0, 0)) == []


def test_a_network_with_another_input_is_rejected() -> None:
    runtime = Marks()
    runtime.input_shape = (64, 64, 3)
    with pytest.raises(ModelError, match=r"^detector\.onnx: the input is uint8 \(64, 64, 3\)"):
        FaceDetector(runtime, ENTRY)


def test_maps_of_another_shape_are_rejected() -> None:
    class Wrong(Marks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            return (np.zeros((1, 1), np.float32),)

    with pytest.raises(ModelError, match="outputs are not those of a face detector"):
        FaceDetector(Wrong(), ENTRY).warm_up()


def test_a_network_that_refuses_larger_inputs_fails_before_the_first_picture() -> None:
    class OneSize(Marks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            if crops.shape[1:] != self.input_shape:
                raise ModelError("the model cannot be run")
            return super().run(crops)

    FaceDetector(OneSize(), ENTRY).warm_up()
    with pytest.raises(ModelError, match="cannot be run"):
        FaceDetector(OneSize(), ENTRY._replace(largest_input=256)).warm_up()


def test_maps_that_are_not_finite_are_rejected() -> None:
    class Broken(Marks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            boxes, heat = super().run(crops)
            return boxes + np.float32("nan"), heat

    with pytest.raises(ModelError, match="not finite"):
        FaceDetector(Broken(), ENTRY).warm_up()


def test_boxes_are_scaled_to_the_framing_of_the_classifier() -> None:
    picture = marked(300, 400, 60, 150, 100)
    unscaled, scaled = (
        FaceDetector(Marks(), ENTRY._replace(frame_scale=scale)).detect(picture)[0].box
        for scale in (1.0, 0.9)
    )
    assert scaled.width == scaled.height == pytest.approx(0.9 * unscaled.width)
    assert middle(scaled) == pytest.approx(middle(unscaled))

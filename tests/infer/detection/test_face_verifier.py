"""The face output of the gender network: its logit, and what it does to the search."""

from __future__ import annotations

from math import exp, log

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import ENTRY, Marks, marked, turn_picture
from model_entries import FACE_OUTPUT

from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import Calibration, FaceOutput, ModelEntry
from image_gender_classifier.results import Box, Turn

SIZE = 96
GENDER = ModelEntry(
    file="gender.onnx",
    sha256="1",
    bytes=0,
    input_shape=(SIZE, SIZE, 3),
    input_dtype="uint8",
    colour_order="RGB",
    framing="",
    positive="female",
    negative="male",
    calibration=Calibration(),
    threshold=0.5,
    license="Apache-2.0",
    face_output=FACE_OUTPUT,
)


class FakeGenderNetwork:
    """A fake gender network with a face output; keeps the crops that it is asked about."""

    input_shape = (SIZE, SIZE, 3)
    input_dtype = "uint8"

    def __init__(self, other: float, face: float) -> None:
        self.crops: list[npt.NDArray[np.uint8]] = []
        self._logits = other, face

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        self.crops += list(crops)
        both = np.tile(np.array(self._logits, np.float32), (len(crops), 1))
        return both, np.zeros((len(crops), 1), np.float32)


LOGITS = st.floats(-8, 8, width=32)
PICTURE = Picture(np.zeros((200, 200, 3), np.uint8), 200, 200)


@given(LOGITS, LOGITS, LOGITS, st.floats(0.1, 3), st.floats(0.1, 3), st.floats(-5, 5))
def test_the_logit_is_the_weighted_sum(
    other: float, face: float, detector: float, slope: float, detector_slope: float, bias: float
) -> None:
    output = FACE_OUTPUT._replace(slope=slope, detector_slope=detector_slope, bias=bias)
    verifier = FaceVerifier(FakeGenderNetwork(other, face), GENDER, output)
    found = verifier.compute_logit(PICTURE, Box(0, 0, 100, 100), detector)
    expected = slope * (face - other) + detector_slope * detector + bias
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_a_crop_of_a_turned_face_is_turned() -> None:
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[0, 0] = 255  # top left
    network = FakeGenderNetwork(0, 0)
    verifier = FaceVerifier(network, GENDER, FACE_OUTPUT)
    verifier.compute_logit(Picture(pixels, SIZE, SIZE), Box(0, 0, SIZE, SIZE), 0, turn=90)
    (crop,) = network.crops
    assert crop[0, -1].max() == 255
    assert crop.sum() == 3 * 255


def test_a_small_frame_is_cut_from_the_finer_picture() -> None:
    fine = Picture(np.full((800, 800, 3), 255, np.uint8), 800, 800)
    coarse = Picture(np.zeros((200, 200, 3), np.uint8), 800, 800, decode_finer=lambda: fine)
    network = FakeGenderNetwork(0, 0)
    verifier = FaceVerifier(network, GENDER, FACE_OUTPUT)
    verifier.compute_logit(coarse, Box(0, 0, 8 * SIZE, 8 * SIZE), 0)
    verifier.compute_logit(coarse, Box(0, 0, 2 * SIZE, 2 * SIZE), 0)
    assert [int(crop.max()) for crop in network.crops] == [0, 255]


@pytest.mark.parametrize("logits", [(0.0, float("nan")), (float("inf"), 0.0)])
def test_a_face_output_that_is_not_finite_is_a_fault_of_the_model(
    logits: tuple[float, float],
) -> None:
    verifier = FaceVerifier(FakeGenderNetwork(*logits), GENDER, FACE_OUTPUT)
    with pytest.raises(ModelError, match=r"gender\.onnx: the face output"):
        verifier.compute_logit(PICTURE, Box(0, 0, 100, 100), 0)


class OneOutput(FakeGenderNetwork):
    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        return super().run(crops)[1:]


def test_a_network_without_a_face_output_is_a_fault_of_the_model() -> None:
    with pytest.raises(ModelError, match="reinstall"):
        FaceVerifier(OneOutput(0, 0), GENDER, FACE_OUTPUT).compute_logit(
            PICTURE, Box(0, 0, 100, 100), 0
        )


def detector(
    detector_logit: float, face_logit: float, output: FaceOutput = FACE_OUTPUT
) -> FaceDetector:
    runtime = Marks(logits=(detector_logit, detector_logit))
    entry = ENTRY._replace(candidate_threshold=0.05)
    verifier = FaceVerifier(FakeGenderNetwork(0, face_logit), GENDER, output)
    return FaceDetector(runtime, entry, verifier=verifier)


@pytest.mark.parametrize(
    ("detector_logit", "face_logit", "found"),
    [(-1, 4, True), (-1, 2, False), (1, -2, True), (1, -4, False), (3, -9, True), (-1.6, 9, False)],
)
def test_the_face_output_decides_about_doubtful_faces_only(
    detector_logit: float, face_logit: float, found: bool
) -> None:
    picture = marked(400, 400, 150, 150, 100)
    assert bool(detector(detector_logit, face_logit).detect(picture)) == found


@pytest.mark.parametrize(
    ("detector_logit", "face_logit", "expected"),
    [(-1, 4.6, log(0.9 / 0.1)), (-1, 4.4, -1.5), (1, -2.5, 0.5)],
    ids=["the verifier is sure", "the detector's logit is lower", "the verifier's is lower"],
)
def test_the_score_of_a_doubtful_face_is_at_most_that_of_a_sure_one(
    detector_logit: float, face_logit: float, expected: float
) -> None:
    """The detector's logit is 1.5 times as high in the end, and counts twice for the verifier."""
    (face,) = detector(detector_logit, face_logit).detect(marked(400, 400, 150, 150, 100))
    assert face.score == pytest.approx(1 / (1 + exp(-expected)), abs=1e-3)


def test_turned_views_are_searched_unless_the_verifier_is_sure() -> None:
    runs = []
    for face_logit in (4.6, 4.4):
        runtime = Marks(logits=(-1, -1))
        verifier = FaceVerifier(FakeGenderNetwork(0, face_logit), GENDER, FACE_OUTPUT)
        entry = ENTRY._replace(candidate_threshold=0.05)
        FaceDetector(runtime, entry, verifier=verifier).detect(marked(400, 400, 150, 150, 100))
        runs.append(runtime.calls)
    assert runs[0] == 2
    assert runs[1] > 2


def test_the_confirmation_of_another_detectors_face_asks_too() -> None:
    picture, frame = marked(400, 400, 150, 150, 100), Box(200, 200, 400, 400)
    assert detector(-1, 4).confirm(picture, [frame], "other")
    assert not detector(-1, 1).confirm(picture, [frame], "other")


def test_a_turned_picture_needs_its_own_probability() -> None:
    picture = marked(400, 400, 150, 150, 100)
    logit = log(0.7 / 0.3)
    strict = FACE_OUTPUT._replace(threshold=0.8, turned_threshold=0.6)
    (face,) = detector(0, logit, strict).detect(picture)
    assert face.turn
    assert not detector(0, logit, strict._replace(turned_threshold=0.8)).detect(picture)


def test_the_cache_key_knows_the_face_output() -> None:
    others = FACE_OUTPUT._replace(threshold=0.6), FACE_OUTPUT._replace(surest=0.8)
    keys = {detector(0, 0, output).cache_key for output in (FACE_OUTPUT, *others)}
    assert len({*keys, FaceDetector(Marks(), ENTRY).cache_key}) == 4


class LyingFace(Marks):
    """Sees a mark as it lies, but is sure of one only where green is below it."""

    def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        below = crop[top + width // 2 + 3 :, left + width // 2]
        return bool(below.size and below[0, 1] > 127)


@pytest.mark.parametrize("all_faces", [False, True])
@pytest.mark.parametrize("turn", [0, 180])
def test_a_doubtful_upright_face_yields_to_a_sure_turned_one(turn: Turn, all_faces: bool) -> None:
    """Upside down, the mark is a doubtful face that the face output takes for one."""
    upright = marked(400, 400, 150, 150, 100)
    upright.pixels[200:250, 150:250] = (0, 255, 0)
    verifier = FaceVerifier(FakeGenderNetwork(0, 4), GENDER, FACE_OUTPUT)
    runtime = LyingFace(logits=(-1, 4))
    entry = ENTRY._replace(candidate_threshold=0.05)
    face_detector = FaceDetector(runtime, entry, verifier=verifier, all_faces=all_faces)
    (face,) = face_detector.detect(turn_picture(upright, turn))
    assert face.turn == turn

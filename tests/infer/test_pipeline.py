from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from marks import turn_picture

from image_gender_classifier import loading, pipeline
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.turning import turn_box_back
from image_gender_classifier.detection.whole_picture import WholePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import Parts
from image_gender_classifier.manifest.schema import FrameOutput
from image_gender_classifier.results import Box, Face, Prediction, Turn
from image_gender_classifier.settings import Settings


@pytest.fixture(scope="module")
def parts() -> Parts:
    return loading.open_parts(Settings(threshold=0.5))


@pytest.fixture(scope="module")
def sure() -> Classifier:
    return loading.open_classifier(None, threshold=0.0)


@pytest.fixture
def astronaut(face_picture: Path) -> Picture:
    return decoding.read(face_picture)


class Told(WholePicture):
    """A detector that finds the faces it is told."""

    def __init__(self, *boxes: Box) -> None:
        super().__init__()
        self._faces = [Face(box, "none") for box in boxes]

    def detect(self, picture: Picture) -> list[Face]:
        return self._faces


def classify(picture: Picture, parts: Parts) -> Prediction:
    return pipeline.classify(picture, "a.jpg", parts.detector, parts.classifier)


def test_a_womans_face_is_classified(astronaut: Picture, parts: Parts) -> None:
    prediction = classify(astronaut, parts)
    assert (prediction.file, prediction.status, prediction.gender) == (
        "a.jpg",
        "classified",
        "female",
    )
    assert prediction.confidence is not None
    assert parts.classifier.threshold <= prediction.confidence <= 1
    (face,) = prediction.faces
    assert (face.gender, face.confidence) == (prediction.gender, prediction.confidence)


@pytest.mark.parametrize("name", ["cat.jpg", "rocket.jpg"])
def test_a_picture_without_a_face_says_so(name: str, samples: Path, parts: Parts) -> None:
    prediction = classify(decoding.read(samples / name), parts)
    assert prediction == Prediction("a.jpg", "no_face", "unknown")


def test_below_the_threshold_the_gender_is_unknown(astronaut: Picture, parts: Parts) -> None:
    strict = loading.open_classifier(None, threshold=1.0)
    prediction = pipeline.classify(astronaut, "a.jpg", parts.detector, strict)
    sure_prediction = classify(astronaut, parts)
    assert (prediction.status, prediction.gender, prediction.faces[0].gender) == (
        ("uncertain", "unknown", "unknown")
    )
    assert prediction.confidence == prediction.faces[0].confidence == sure_prediction.confidence
    assert prediction.p_female == prediction.faces[0].p_female == sure_prediction.p_female
    assert prediction.p_female == prediction.confidence  # a woman's


def test_every_face_is_listed_and_the_first_decides(
    two_faces: npt.NDArray[np.uint8], parts: Parts
) -> None:
    prediction = classify(decoding.from_array(two_faces), parts)
    first, second = prediction.faces
    assert (first.gender, first.confidence) == (prediction.gender, prediction.confidence)
    assert (second.gender, second.confidence, second.p_female) == (None, None, None)
    assert first.box != second.box


def test_the_main_face_is_judged_whatever_the_order_found(
    astronaut: Picture, sure: Classifier
) -> None:
    large, small = Box(170, 70, 110, 110), Box(0, 0, 40, 40)
    one = pipeline.classify(astronaut, "a", Told(large, small), sure)
    other = pipeline.classify(astronaut, "a", Told(small, large), sure)
    assert one == other
    assert [face.box for face in one.faces] == [large, small]


def test_a_whole_picture_is_its_centred_square(astronaut: Picture, sure: Classifier) -> None:
    wide = decoding.from_array(astronaut.pixels[:300])
    prediction = pipeline.classify(wide, "a", WholePicture(), sure)
    (face,) = prediction.faces
    assert (face.box, face.detector) == (Box(106, 0, 300, 300), "none")
    square = decoding.from_array(astronaut.pixels[:300, 106:406])
    assert pipeline.classify(square, "a", WholePicture(), sure).confidence == prediction.confidence


def test_the_crop_is_cut_in_the_detectors_frame(astronaut: Picture, parts: Parts) -> None:
    (face,) = parts.detector.detect(astronaut)
    size = parts.classifier.crop_size
    expected = geometry.cut_crop(
        astronaut.pixels, geometry.map_to_frame(face.box, parts.detector.framings["cnn"]), size
    )
    found = pipeline.find_crop(astronaut, parts.detector, size)
    assert found is not None and np.array_equal(found, expected)
    (classification,) = parts.classifier.classify(found[np.newaxis])
    assert classification.confidence == classify(astronaut, parts).confidence


class Moving:
    """A network that sees a larger face to the right of the crop and below it."""

    input_shape, input_dtype = (96, 96, 3), "uint8"

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        frames = np.tile(np.array([0.1, 0.2, np.log(1.5)], np.float32), (len(crops), 1))
        return np.full((len(crops), 1), 9, np.float32), frames


@pytest.mark.parametrize(
    ("turn", "right", "down"), [(0, 10, 20), (90, 20, -10), (180, -10, -20), (270, -20, 10)]
)
def test_the_frame_output_corrects_the_boxes_of_the_network(
    turn: Turn, right: float, down: float, astronaut: Picture, sure: Classifier
) -> None:
    class Found(WholePicture):
        def __init__(self) -> None:
            itself = Framing(1.0, 0.0)
            self.framings = {"cnn": itself, "own": Framing(1.2, 0.1), "lbp": itself}

        def detect(self, picture: Picture) -> list[Face]:
            return [
                Face(Box(150, 150, 100, 100), "cnn", score=0.9, turn=turn),
                Face(Box(0, 0, 10, 10), "cnn", score=0.9),
                Face(Box(0, 300, 11, 11), "own", score=0.9),
                Face(Box(0, 400, 12, 12), "lbp"),
            ]

    units = FrameOutput(1.0, 1.0, 1.0)
    moving = Classifier(Moving(), sure.entry._replace(frame_output=units))
    main, *others = pipeline.classify(astronaut, "a", Found(), moving, all_faces=True).faces
    assert main.box == pytest.approx((125 + right, 125 + down, 150, 150))
    boxes = {face.detector: face.box for face in others}
    assert boxes.pop("cnn") == pytest.approx((-1.5, -0.5, 15, 15))
    assert boxes == {"own": Box(0, 300, 11, 11), "lbp": Box(0, 400, 12, 12)}
    (only, *rest) = pipeline.classify(astronaut, "a", Found(), moving).faces
    assert only.box == main.box
    assert Box(0, 0, 10, 10) in [face.box for face in rest]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_the_crop_of_a_turned_face_is_upright(astronaut: Picture, parts: Parts, turn: Turn) -> None:
    """What is classified does not depend on how the picture lies."""
    (face,) = classify(astronaut, parts).faces
    box = Box(*map(round, face.box))
    upright = Face(box, face.detector)
    back: dict[Turn, Turn] = {90: 270, 180: 180, 270: 90}
    lying = turn_picture(astronaut, back[turn])
    turned = Face(turn_box_back(box, turn, lying.width, lying.height), face.detector, turn=turn)
    crops = [
        pipeline.cut_face_crop(picture, one, parts.detector, 96).astype(int)
        for picture, one in ((astronaut, upright), (lying, turned))
    ]
    assert np.abs(crops[0] - crops[1]).mean() < 2


def test_without_a_face_there_is_no_crop(samples: Path, parts: Parts) -> None:
    assert pipeline.find_crop(decoding.read(samples / "cat.jpg"), parts.detector, 96) is None


@pytest.mark.parametrize("factor", [3, 6])
def test_a_camera_picture_is_cut_where_the_face_is(
    factor: int, astronaut: Picture, parts: Parts
) -> None:
    pixels = cv2.resize(astronaut.pixels, None, fx=factor, fy=factor)
    coded = cv2.imencode(".jpg", pixels[..., ::-1])[1].tobytes()
    picture = decoding.decode(coded)
    assert picture.scale > 1
    prediction, small = classify(picture, parts), classify(astronaut, parts)
    assert (prediction.status, prediction.gender) == ("classified", "female")
    large_box, small_box = prediction.faces[0].box, small.faces[0].box
    assert large_box.width / factor == pytest.approx(small_box.width, rel=0.1)
    assert large_box.x / factor == pytest.approx(small_box.x, abs=10)
    size = parts.classifier.crop_size
    large_crop = pipeline.find_crop(picture, parts.detector, size)
    small_crop = pipeline.find_crop(astronaut, parts.detector, size)
    assert large_crop is not None and small_crop is not None
    assert np.abs(large_crop.astype(int) - small_crop).mean() < 25

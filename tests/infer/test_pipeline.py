from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier import faces, images, loading, pipeline
from image_gender_classifier.choices import Choices
from image_gender_classifier.classifier import Classifier
from image_gender_classifier.images import Picture
from image_gender_classifier.loading import Parts
from image_gender_classifier.pipeline import WholePicture
from image_gender_classifier.verdict import Box, Face, Verdict


@pytest.fixture(scope="module")
def parts() -> Parts:
    return loading.open_parts(Choices(threshold=0.5))


@pytest.fixture(scope="module")
def sure() -> Classifier:
    return loading.open_classifier(None, threshold=0.0)


@pytest.fixture
def astronaut(face_picture: Path) -> Picture:
    return images.read(face_picture)


class Told(WholePicture):
    """A detector that finds the faces it is told."""

    def __init__(self, *boxes: Box) -> None:
        super().__init__()
        self._faces = [Face(box, "none") for box in boxes]

    def find(self, picture: Picture) -> list[Face]:
        return self._faces


def judge(picture: Picture, parts: Parts) -> Verdict:
    return pipeline.judge(picture, "a.jpg", parts.detector, parts.classifier)


def test_a_womans_face_is_classified(astronaut: Picture, parts: Parts) -> None:
    verdict = judge(astronaut, parts)
    assert (verdict.file, verdict.status, verdict.gender) == ("a.jpg", "classified", "female")
    assert verdict.confidence is not None
    assert parts.classifier.threshold <= verdict.confidence <= 1
    (face,) = verdict.faces
    assert (face.gender, face.confidence) == (verdict.gender, verdict.confidence)


@pytest.mark.parametrize("name", ["cat.jpg", "rocket.jpg"])
def test_a_picture_without_a_face_says_so(name: str, samples: Path, parts: Parts) -> None:
    verdict = judge(images.read(samples / name), parts)
    assert verdict == Verdict("a.jpg", "no_face", "unknown")


def test_below_the_threshold_the_gender_is_unknown(astronaut: Picture, parts: Parts) -> None:
    strict = loading.open_classifier(None, threshold=1.0)
    verdict = pipeline.judge(astronaut, "a.jpg", parts.detector, strict)
    sure_verdict = judge(astronaut, parts)
    assert (verdict.status, verdict.gender, verdict.faces[0].gender) == (
        ("uncertain", "unknown", "unknown")
    )
    assert verdict.confidence == verdict.faces[0].confidence == sure_verdict.confidence


def test_every_face_is_listed_and_the_first_decides(
    two_faces: npt.NDArray[np.uint8], parts: Parts
) -> None:
    verdict = judge(images.from_array(two_faces), parts)
    first, second = verdict.faces
    assert (first.gender, first.confidence) == (verdict.gender, verdict.confidence)
    assert (second.gender, second.confidence) == (None, None)
    assert first.box != second.box


def test_the_main_face_is_judged_whatever_the_order_found(
    astronaut: Picture, sure: Classifier
) -> None:
    large, small = Box(170, 70, 110, 110), Box(0, 0, 40, 40)
    one = pipeline.judge(astronaut, "a", Told(large, small), sure)
    other = pipeline.judge(astronaut, "a", Told(small, large), sure)
    assert one == other
    assert [face.box for face in one.faces] == [large, small]


def test_a_whole_picture_is_its_centred_square(astronaut: Picture, sure: Classifier) -> None:
    wide = images.from_array(astronaut.pixels[:300])
    verdict = pipeline.judge(wide, "a", WholePicture(), sure)
    (face,) = verdict.faces
    assert (face.box, face.detector) == (Box(106, 0, 300, 300), "none")
    square = images.from_array(astronaut.pixels[:300, 106:406])
    assert pipeline.judge(square, "a", WholePicture(), sure).confidence == verdict.confidence


def test_the_crop_is_cut_in_the_detectors_frame(astronaut: Picture, parts: Parts) -> None:
    (face,) = parts.detector.find(astronaut)
    size = parts.classifier.crop_size
    expected = faces.crop(
        astronaut.pixels, faces.frame(face.box, parts.detector.framings["lbp"]), size
    )
    found = pipeline.find_crop(astronaut, parts.detector, size)
    assert found is not None and np.array_equal(found, expected)
    (judgement,) = parts.classifier.judge(found[np.newaxis])
    assert judgement.confidence == judge(astronaut, parts).confidence


def test_without_a_face_there_is_no_crop(samples: Path, parts: Parts) -> None:
    assert pipeline.find_crop(images.read(samples / "cat.jpg"), parts.detector, 96) is None


@pytest.mark.parametrize("factor", [3, 6])
def test_a_camera_picture_is_cut_where_the_face_is(
    factor: int, astronaut: Picture, parts: Parts
) -> None:
    pixels = cv2.resize(astronaut.pixels, None, fx=factor, fy=factor)
    coded = cv2.imencode(".jpg", pixels[..., ::-1])[1].tobytes()
    picture = images.decode(coded)
    assert picture.scale > 1
    verdict, small = judge(picture, parts), judge(astronaut, parts)
    assert (verdict.status, verdict.gender) == ("classified", "female")
    large_box, small_box = verdict.faces[0].box, small.faces[0].box
    assert large_box.width / factor == pytest.approx(small_box.width, rel=0.1)
    assert large_box.x / factor == pytest.approx(small_box.x, abs=10)
    size = parts.classifier.crop_size
    large_crop = pipeline.find_crop(picture, parts.detector, size)
    small_crop = pipeline.find_crop(astronaut, parts.detector, size)
    assert large_crop is not None and small_crop is not None
    assert np.abs(large_crop.astype(int) - small_crop).mean() < 25

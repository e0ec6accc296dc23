"""The cascade and the face detector network, combined and alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from marks import middle

from image_gender_classifier import manifest
from image_gender_classifier.detection.geometry import sort_main_face_first
from image_gender_classifier.detection.registry import open_detector
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest import Manifest

NEVER = 10_000  # more hits than any face has
MORE_THAN_CERTAIN = 2.0


@pytest.fixture(scope="module")
def shipped() -> Manifest:
    return manifest.load(shipped_models())


@pytest.fixture
def astronaut(face_picture: Path) -> Picture:
    """The face is too small for the shipped cascade."""
    return decoding.read(face_picture)


@pytest.fixture
def close_up(astronaut: Picture) -> Picture:
    return decoding.from_array(np.ascontiguousarray(astronaut.pixels[:260, 95:355]))


def blind_cascade(models: Manifest) -> Manifest:
    (cascade,) = models.cascades
    return models._replace(cascades=(cascade._replace(min_neighbors=NEVER),))


def blind_detector(models: Manifest) -> Manifest:
    face_detectors = {
        name: entry._replace(
            threshold=MORE_THAN_CERTAIN, second_threshold=None, turned_threshold=None
        )
        for name, entry in models.face_detectors.items()
    }
    return models._replace(face_detectors=face_detectors, models={})


def found_by(models: Manifest, picture: Picture, choice: str = "cascade") -> list[str]:
    return [face.detector for face in open_detector(choice, models, "tflite").detect(picture)]


def test_the_first_stage_that_finds_a_face_decides(shipped: Manifest, close_up: Picture) -> None:
    assert found_by(shipped, close_up) == ["lbp"]
    assert found_by(blind_cascade(shipped), close_up) == ["cnn"]
    assert found_by(blind_cascade(shipped), close_up, "lbp") == []


def test_a_face_that_only_the_cascade_detects_is_dropped(
    shipped: Manifest, close_up: Picture
) -> None:
    assert found_by(shipped, close_up, "lbp") == ["lbp"]
    assert found_by(blind_detector(shipped), close_up) == []


@pytest.mark.parametrize("runtime", ["tflite", "onnx"])
def test_both_stages_have_the_same_box(shipped: Manifest, close_up: Picture, runtime: str) -> None:
    boxes = []
    for models in (shipped, blind_cascade(shipped)):
        (face,) = open_detector("cascade", models, runtime).detect(close_up)
        boxes.append(face.box)
    assert np.abs(np.subtract(middle(boxes[0]), (130, 120))).max() < 20
    assert np.abs(np.subtract(middle(boxes[0]), middle(boxes[1]))).max() < 8
    assert boxes[0].width == pytest.approx(boxes[1].width, rel=0.1)


@pytest.mark.parametrize("longer", [512, 768, 1024, 2048])
def test_faces_are_detected_in_a_tall_picture(
    longer: int, shipped: Manifest, astronaut: Picture
) -> None:
    pixels = np.zeros((longer, astronaut.pixels.shape[1], 3), np.uint8)
    pixels[: astronaut.pixels.shape[0]] = astronaut.pixels
    picture = Picture(pixels, pixels.shape[1], longer)
    (face,) = open_detector("cascade", shipped, "tflite", 0.1).detect(picture)
    assert np.abs(np.subtract(middle(face.box), (225, 115))).max() < 20


def test_none_takes_the_whole_picture(shipped: Manifest, astronaut: Picture) -> None:
    (face,) = open_detector("none", shipped, "tflite").detect(astronaut)
    assert (face.box.width, face.box.height) == (astronaut.height, astronaut.height)


@pytest.mark.parametrize(("min_face", "every"), [(0.1, False), (None, True)])
def test_none_refuses_to_search(shipped: Manifest, min_face: float | None, every: bool) -> None:
    with pytest.raises(UsageError, match="detector none"):
        open_detector("none", shipped, "tflite", min_face, every)


@pytest.mark.parametrize("name", ["cat.jpg", "rocket.jpg"])
def test_no_stage_detects_a_face_in_a_picture_without_one(
    shipped: Manifest, samples: Path, name: str
) -> None:
    assert found_by(shipped, decoding.read(samples / name)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3000, 1), (2, 2), (24, 24), (23, 700)])
def test_a_tiny_picture_has_no_face(shipped: Manifest, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert found_by(shipped, decoding.from_array(noise)) == []


def side_by_side(close_up: Picture, astronaut: Picture) -> Picture:
    """The face, large on the left and small on the right, where the cascade does not detect it."""
    tight = close_up.pixels[30:220, 35:225]
    large, small = (cv2.resize(pixels, (700, 700)) for pixels in (tight, astronaut.pixels))
    return decoding.from_array(np.hstack([large, small[:, :400]]))


def test_all_faces_are_detected_once(
    shipped: Manifest, close_up: Picture, astronaut: Picture
) -> None:
    picture = side_by_side(close_up, astronaut)
    (main,) = open_detector("cascade", shipped, "tflite").detect(picture)
    faces = open_detector("cascade", shipped, "tflite", all_faces=True).detect(picture)
    assert [face.detector for face in faces] == ["lbp", "cnn"]
    assert faces[0] == main


def test_a_larger_face_than_that_of_the_cascade_is_the_main_face(
    shipped: Manifest, close_up: Picture
) -> None:
    """The cascade does not detect a rotated face."""
    turn = cv2.getRotationMatrix2D((130, 120), 40, 1)
    turned = cv2.warpAffine(close_up.pixels, turn, (260, 260), borderMode=cv2.BORDER_REPLICATE)
    large = cv2.resize(turned, (760, 760))
    small = cv2.resize(close_up.pixels[30:220, 35:225], (470, 470))
    small = cv2.copyMakeBorder(small, 145, 145, 0, 0, cv2.BORDER_REPLICATE)
    picture = decoding.from_array(np.hstack([large, small]))
    (cascade,) = shipped.cascades
    thorough = cascade._replace(longest_side=320, smallest_face=0.15, scale_factor=1.1)
    models = shipped._replace(cascades=(thorough,))
    assert sorted(found_by(models, picture)) == ["cnn", "lbp"]
    found = open_detector("cascade", models, "tflite").detect(picture)
    main = sort_main_face_first(found, picture.width, picture.height)[0]
    assert main.detector == "cnn"
    assert middle(main.box)[0] < 760


@pytest.mark.parametrize("models", ["shipped", "blind"])
def test_the_main_face_is_the_same_with_all_faces(
    shipped: Manifest, close_up: Picture, models: str
) -> None:
    used = shipped if models == "shipped" else blind_cascade(shipped)
    mains = [
        sort_main_face_first(
            open_detector("cascade", used, "tflite", all_faces=every).detect(close_up), 260, 260
        )
        for every in (False, True)
    ]
    assert mains[0][0] == mains[1][0]


def test_every_stage_has_its_framing(shipped: Manifest) -> None:
    detector = open_detector("cascade", shipped, "tflite")
    assert list(detector.framings) == ["lbp", "cnn"]


def test_the_cache_key_depends_on_every_setting(shipped: Manifest) -> None:
    ways = [
        open_detector("cascade", shipped, "tflite"),
        open_detector("cascade", shipped, "onnx"),
        open_detector("cascade", shipped, "tflite", 0.3),
        open_detector("cascade", shipped, "tflite", all_faces=True),
        open_detector("lbp", shipped, "tflite"),
        open_detector("lbp", shipped, "tflite", shipped.cascades[0].smallest_face),
        open_detector("none", shipped, "tflite"),
    ]
    assert len({way.cache_key for way in ways}) == len(ways)


@pytest.mark.parametrize(
    ("lost", "remedy"),
    [("cascades", "reinstall the package"), ("face_detectors", "choose --detector lbp or none")],
)
def test_a_manifest_without_a_stage_is_rejected(shipped: Manifest, lost: str, remedy: str) -> None:
    rest = shipped._replace(**{lost: type(getattr(shipped, lost))()})
    with pytest.raises(ModelError, match=rf"manifest\.json: the manifest lists no .*; {remedy}"):
        open_detector("cascade", rest, "onnx")

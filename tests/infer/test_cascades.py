from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier import images, manifest
from image_gender_classifier.cascades import CascadeDetector
from image_gender_classifier.errors import ModelError
from image_gender_classifier.images import Picture
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.verdict import Box

LBP, HAAR = 0, 1
BLIND = 10_000  # hits that no face has


@pytest.fixture(scope="module")
def shipped() -> Manifest:
    return manifest.load(Path(str(files("image_gender_classifier.models"))))


@pytest.fixture(scope="module")
def detector(shipped: Manifest) -> CascadeDetector:
    return CascadeDetector(shipped)


@pytest.fixture
def astronaut(face_picture: Path) -> Picture:
    return images.read(face_picture)


def half_blind(models: Manifest) -> Iterator[CascadeDetector]:
    """Detectors whose first, second cascade finds nothing."""
    for blind in (LBP, HAAR):
        cascades = list(models.cascades)
        cascades[blind] = replace(cascades[blind], min_neighbors=BLIND)
        yield CascadeDetector(replace(models, cascades=tuple(cascades)))


def middle(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def test_the_one_face_is_found_where_it_is(detector: CascadeDetector, astronaut: Picture) -> None:
    (face,) = detector.find(astronaut)
    x, y = middle(face.box)
    assert 205 < x < 245 and 95 < y < 135  # between her eyes and mouth
    assert 70 < face.box.width < 130
    assert (face.detector, face.gender, face.confidence) == ("lbp", None, None)


@pytest.mark.parametrize("name", ["cat.jpg", "rocket.jpg"])
def test_no_face_is_found_where_none_is(
    detector: CascadeDetector, samples: Path, name: str
) -> None:
    assert detector.find(images.read(samples / name)) == []


def test_both_of_two_faces_are_found(
    detector: CascadeDetector, two_faces: npt.NDArray[np.uint8]
) -> None:
    found = detector.find(images.from_array(two_faces))
    left, right = sorted(middle(face.box)[0] for face in found)
    assert abs(right - left - two_faces.shape[1] / 2) < 10


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_boxes_are_in_pixels_of_the_original(
    detector: CascadeDetector, astronaut: Picture, factor: float
) -> None:
    (expected,) = detector.find(astronaut)
    pixels = cv2.resize(astronaut.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    picture = images.from_array(np.asarray(pixels, np.uint8))
    (face,) = detector.find(picture)
    found, wanted = np.array(middle(face.box)) / factor, np.array(middle(expected.box))
    assert np.abs(found - wanted).max() < 10
    assert face.box.width / factor == pytest.approx(expected.box.width, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3000, 1), (2, 2), (24, 24), (23, 700)])
def test_a_tiny_picture_has_no_face(detector: CascadeDetector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert detector.find(images.from_array(noise)) == []


def test_the_second_cascade_looks_where_the_first_finds_nothing(
    shipped: Manifest, astronaut: Picture
) -> None:
    by_haar, by_lbp = half_blind(shipped)
    assert [face.detector for face in by_haar.find(astronaut)] == ["haar"]
    assert [face.detector for face in by_lbp.find(astronaut)] == ["lbp"]


def test_both_cascades_see_the_same_face(shipped: Manifest, astronaut: Picture) -> None:
    by_haar, by_lbp = half_blind(shipped)
    first, second = (np.array(middle(each.find(astronaut)[0].box)) for each in (by_haar, by_lbp))
    assert np.abs(first - second).max() < 12


def test_every_stage_has_its_framing(detector: CascadeDetector, shipped: Manifest) -> None:
    assert set(detector.framings) == {entry.detector for entry in shipped.cascades}
    framing = detector.framings[shipped.cascades[HAAR].detector]
    assert framing.scale == shipped.cascades[HAAR].frame_scale
    assert framing.shift_y == shipped.cascades[HAAR].frame_shift_y


def test_the_same_picture_gives_the_same_faces_every_time(
    shipped: Manifest, two_faces: npt.NDArray[np.uint8]
) -> None:
    picture = images.from_array(two_faces)
    detectors = [CascadeDetector(shipped) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: [each.find(picture) for _ in range(5)], detectors))
    assert all(answer == answers[0][0] for five in answers for answer in five)


@pytest.mark.parametrize("which", [LBP, HAAR])
def test_a_damaged_cascade_is_refused_at_start(which: int, models: Path) -> None:
    known = manifest.load(models)
    path = models / known.cascades[which].file
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(ModelError, match=rf"{path.name}: is not the file"):
        CascadeDetector(known)


@pytest.mark.parametrize("data", [b"", b"text", b"<opencv_storage/>", b"<opencv_storage><a>1</a>"])
def test_a_file_that_is_no_cascade_is_a_model_error(
    data: bytes, models: Path, astronaut: Picture
) -> None:
    known = manifest.load(models)
    entry = replace(known.cascades[LBP], sha256=hashlib.sha256(data).hexdigest())
    (models / entry.file).write_bytes(data)
    with pytest.raises(ModelError, match=rf"{entry.file}: OpenCV cannot use it"):
        CascadeDetector(replace(known, cascades=(entry,))).find(astronaut)

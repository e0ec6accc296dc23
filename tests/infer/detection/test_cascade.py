from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from marks import middle

from image_gender_classifier import manifest
from image_gender_classifier.detection.cascade import CascadeDetector
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import CascadeEntry


@pytest.fixture(scope="module")
def shipped() -> Manifest:
    return manifest.load(Path(str(files("image_gender_classifier.models"))))


@pytest.fixture(scope="module")
def entry(shipped: Manifest) -> CascadeEntry:
    """Returns settings for a thorough search; the shipped cascade only searches for large faces."""
    return shipped.cascades[0]._replace(
        longest_side=320, smallest_face=0.15, scale_factor=1.1, min_neighbors=3
    )


@pytest.fixture(scope="module")
def detector(shipped: Manifest, entry: CascadeEntry) -> CascadeDetector:
    return CascadeDetector(shipped, entry)


@pytest.fixture
def astronaut(face_picture: Path) -> Picture:
    return decoding.read(face_picture)


def test_a_single_face_is_detected_at_its_position(
    detector: CascadeDetector, astronaut: Picture
) -> None:
    (face,) = detector.detect(astronaut)
    x, y = middle(face.box)
    assert 205 < x < 245 and 95 < y < 135  # between her eyes and mouth
    assert 70 < face.box.width < 130
    assert (face.detector, face.gender, face.confidence) == ("lbp", None, None)


@pytest.mark.parametrize("name", ["cat.jpg", "rocket.jpg"])
def test_no_face_is_detected_in_a_picture_without_one(
    detector: CascadeDetector, samples: Path, name: str
) -> None:
    assert detector.detect(decoding.read(samples / name)) == []


def test_two_faces_are_detected(
    detector: CascadeDetector, two_faces: npt.NDArray[np.uint8]
) -> None:
    found = detector.detect(decoding.from_array(two_faces))
    left, right = sorted(middle(face.box)[0] for face in found)
    assert abs(right - left - two_faces.shape[1] / 2) < 10


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_boxes_are_in_pixels_of_the_original(
    detector: CascadeDetector, astronaut: Picture, factor: float
) -> None:
    (expected,) = detector.detect(astronaut)
    pixels = cv2.resize(astronaut.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    picture = decoding.from_array(np.asarray(pixels, np.uint8))
    (face,) = detector.detect(picture)
    found, wanted = np.array(middle(face.box)) / factor, np.array(middle(expected.box))
    assert np.abs(found - wanted).max() < 10
    assert face.box.width / factor == pytest.approx(expected.box.width, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3000, 1), (2, 2), (24, 24), (23, 700)])
def test_a_tiny_picture_has_no_face(detector: CascadeDetector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert detector.detect(decoding.from_array(noise)) == []


@pytest.mark.parametrize("longer", [512, 768, 1024, 2048])
def test_the_smallest_face_is_a_fraction_of_the_shorter_side(
    longer: int, shipped: Manifest, entry: CascadeEntry, astronaut: Picture
) -> None:
    """The face is 0.19 of the width, at any height of the picture."""
    pixels = np.zeros((longer, astronaut.pixels.shape[1], 3), np.uint8)
    pixels[: astronaut.pixels.shape[0]] = astronaut.pixels
    picture = Picture(pixels, pixels.shape[1], longer)
    found = [middle(face.box) for face in CascadeDetector(shipped, entry, 0.12).detect(picture)]
    assert any(205 < x < 245 and 95 < y < 135 for x, y in found)


def test_the_smallest_face_can_be_chosen(
    shipped: Manifest, entry: CascadeEntry, astronaut: Picture
) -> None:
    """The face is 0.2 of the side of the picture."""
    found = [len(CascadeDetector(shipped, entry, share).detect(astronaut)) for share in (0.1, 0.4)]
    assert found == [1, 0]
    padded = cv2.copyMakeBorder(astronaut.pixels, 400, 400, 400, 400, cv2.BORDER_REPLICATE)
    far = decoding.from_array(np.asarray(padded, np.uint8))
    assert CascadeDetector(shipped, entry).detect(far) == []
    (face,) = CascadeDetector(shipped, entry, 0.06).detect(far)
    assert np.abs(np.array(middle(face.box)) - (625, 515)).max() < 20


def test_has_the_framing_of_its_entry(shipped: Manifest) -> None:
    entry = shipped.cascades[0]
    framing = CascadeDetector(shipped, entry).framings[entry.detector]
    assert (framing.scale, framing.shift_y) == (entry.frame_scale, entry.frame_shift_y)


def test_the_same_picture_gives_the_same_faces_every_time(
    shipped: Manifest, entry: CascadeEntry, two_faces: npt.NDArray[np.uint8]
) -> None:
    picture = decoding.from_array(two_faces)
    detector = CascadeDetector(shipped, entry)  # the cascade is not parsed yet
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: detector.detect(picture), range(20)))
    assert all(answer == answers[0] for answer in answers)


def test_a_corrupt_cascade_is_rejected_at_start(models: Path) -> None:
    known = manifest.load(models)
    entry = known.cascades[0]
    path = models / entry.file
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(ModelError, match=rf"{path.name}: the file does not match the hash"):
        CascadeDetector(known, entry)


@pytest.mark.parametrize("data", [b"", b"text", b"<opencv_storage/>", b"<opencv_storage><a>1</a>"])
def test_a_file_that_is_not_a_cascade_is_a_model_error(
    data: bytes, models: Path, astronaut: Picture
) -> None:
    known = manifest.load(models)
    entry = known.cascades[0]._replace(sha256=hashlib.sha256(data).hexdigest())
    (models / entry.file).write_bytes(data)
    with pytest.raises(ModelError, match=rf"{entry.file}: OpenCV cannot parse the cascade"):
        CascadeDetector(known, entry).detect(astronaut)


def test_smaller_faces_are_searched_at_a_higher_resolution(
    shipped: Manifest, entry: CascadeEntry, face_picture: Path
) -> None:
    stored = cv2.imread(str(face_picture))
    assert stored is not None
    _, large = cv2.imencode(".jpg", cv2.resize(stored, (1280, 1280)))
    picture = decoding.decode(large.tobytes())
    assert max(picture.pixels.shape) < decoding.WORKING_SIDE
    finest = CascadeDetector(shipped, entry, 0.05).detect(picture)
    assert finest == CascadeDetector(shipped, entry, 0.05).detect(picture.finer()) != []


class FixedCascade:
    """A fake OpenCV cascade: detects a face as large as the picture, and one in its corner."""

    def read(self, _: object) -> bool:
        return True

    def detectMultiScale(  # noqa: N802  OpenCV's name
        self, grey: npt.NDArray[np.uint8], **_: object
    ) -> npt.NDArray[np.int_]:
        height, width = grey.shape
        return np.array([[0, 0, width, height], [0, 0, 10, 10]])


def test_boxes_of_a_narrow_picture_reach_its_edge(
    shipped: Manifest, entry: CascadeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded at 1/8, 401 pixels become 51 columns, the last of which covers only one pixel."""
    _, data = cv2.imencode(".jpg", np.full((3000, 401, 3), 127, np.uint8))
    picture = decoding.decode(data.tobytes())
    assert picture.pixels.shape == (375, 51, 3)
    monkeypatch.setattr(cv2, "CascadeClassifier", FixedCascade)
    whole, corner = CascadeDetector(shipped, entry).detect(picture)
    assert whole.box.width == pytest.approx(401, abs=8)
    assert whole.box.height == pytest.approx(3000, abs=16)
    assert corner.box.width == pytest.approx(corner.box.height, rel=0.02)

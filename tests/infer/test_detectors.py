"""The stages of a detector: the first that finds a face decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from image_gender_classifier import images, manifest
from image_gender_classifier.choices import DetectorChoice
from image_gender_classifier.detectors import StagedDetector, open_detector
from image_gender_classifier.images import Picture
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest import Manifest

BLIND = 10_000  # hits that no face has


@pytest.fixture(scope="module")
def shipped() -> Manifest:
    return manifest.load(shipped_models())


@pytest.fixture
def astronaut(face_picture: Path) -> Picture:
    return images.read(face_picture)


def found_by(models: Manifest, picture: Picture, choice: DetectorChoice = "cascade") -> list[str]:
    return [face.detector for face in open_detector(choice, models, "tflite").find(picture)]


def test_the_first_stage_that_finds_a_face_decides(shipped: Manifest, astronaut: Picture) -> None:
    first, *others = shipped.cascades
    blind = replace(shipped, cascades=(replace(first, min_neighbors=BLIND), *others))
    assert found_by(shipped, astronaut) == ["lbp"]
    (later,) = found_by(blind, astronaut)
    assert later != "lbp"
    assert found_by(blind, astronaut, "lbp") == []


def test_none_takes_the_whole_picture(shipped: Manifest, astronaut: Picture) -> None:
    (face,) = open_detector("none", shipped, "tflite").find(astronaut)
    assert (face.box.width, face.box.height) == (astronaut.height, astronaut.height)


@pytest.mark.parametrize("name", ["cat.jpg", "rocket.jpg"])
def test_without_a_face_no_stage_finds_one(shipped: Manifest, samples: Path, name: str) -> None:
    assert found_by(shipped, images.read(samples / name)) == []


def test_every_stage_has_its_framing(shipped: Manifest) -> None:
    detector = open_detector("cascade", shipped, "tflite")
    stages = [entry.detector for entry in shipped.cascades]
    stages += [entry.detector for entry in shipped.finders.values()][:1]
    assert list(detector.framings) == stages


def test_what_decides_a_verdict_depends_on_every_choice(shipped: Manifest) -> None:
    ways = [
        open_detector("cascade", shipped, "tflite"),
        open_detector("cascade", shipped, "tflite", 0.3),
        open_detector("lbp", shipped, "tflite"),
        open_detector("none", shipped, "tflite"),
    ]
    assert len({way.decisive for way in ways}) == len(ways)


def test_no_stage_finds_nothing(astronaut: Picture) -> None:
    assert StagedDetector([]).find(astronaut) == []

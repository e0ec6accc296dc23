"""Costs are taken in turn, one thread each; no test asserts a time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from fixed_networks import FixedDetector

from image_gender_classifier import manifest
from image_gender_classifier.detection.cascade import CascadeDetector
from image_gender_classifier.errors import ModelError, UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.evaluation.boxes import cost
from image_gender_classifier.train.evaluation.boxes.cost import Cost
from image_gender_classifier.train.evaluation.boxes.trials import LabelledPicture, Trial, TrialSet


def shown(value: int) -> LabelledPicture:
    return LabelledPicture(Picture(np.full((8, 8, 3), value, np.uint8), 8, 8), None)


def torn() -> LabelledPicture:
    raise UnreadablePicture("it is torn")


def test_the_ratio_divides_by_the_reference() -> None:
    assert Cost("set", 3, detector=6.0, reference=2.0).ratio == 3.0


def test_detector_and_reference_alternate_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first search of a picture, which loads something, does not count."""
    calls: list[tuple[str, int, int]] = []
    detector = FixedDetector()
    clock = iter(range(1000))

    def detect(name: str, picture: Picture) -> list[object]:
        call = (name, int(picture.pixels[0, 0, 0]), cv2.getNumThreads())
        if call not in calls:
            next(clock)
        calls.append(call)
        return []

    monkeypatch.setattr(detector, "detect", partial(detect, "detector"))
    monkeypatch.setattr(cost, "process_time", lambda: next(clock) / 1000)
    before = cv2.getNumThreads()
    trials = [Trial("1", partial(shown, 1)), Trial("torn", torn), Trial("2", partial(shown, 2))]
    measured = cost.measure_cost(TrialSet("set", trials), detector, partial(detect, "reference"))
    assert {(name, threads) for name, _, threads in calls} == {("detector", 1), ("reference", 1)}
    assert [name for name, *_ in calls] == ["detector", "reference"] * (len(calls) // 2)
    values = [value for _, value, _ in calls]
    assert values[::2] == values[1::2] == sorted(values[::2])
    assert set(values) == {1, 2}
    assert measured is not None
    assert (measured.name, measured.n) == ("set", 2)
    assert (measured.detector, measured.reference) == pytest.approx((1, 1))
    assert cv2.getNumThreads() == before


def test_without_readable_pictures_there_is_no_cost() -> None:
    pictures = TrialSet("set", [Trial("torn", torn)])
    assert cost.measure_cost(pictures, FixedDetector(), cost.open_reference_detector()) is None


def test_a_large_set_is_sampled_evenly() -> None:
    trials = [Trial(str(value), partial(shown, value % 256)) for value in range(1000)]
    measured = cost.measure_cost(TrialSet("set", trials), FixedDetector(), lambda picture: None)
    assert measured is not None
    assert measured.n == 400


def test_the_reference_finds_what_the_cascade_does_at_its_settings(face_picture: Path) -> None:
    models = manifest.load(shipped_models())
    entry = models.cascades[0]._replace(
        longest_side=160, smallest_face=0.15, scale_factor=1.1, min_neighbors=3
    )
    picture = decoding.read(face_picture)
    boxes = np.asarray(cost.open_reference_detector()(picture), float)
    scale = max(picture.width, picture.height) / 160
    expected = [face.box for face in CascadeDetector(models, entry).detect(picture)]
    assert boxes * scale == pytest.approx(
        np.array([(box.x, box.y, box.width, box.height) for box in expected]), rel=0.02
    )


def test_a_missing_cascade_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "shipped_models", lambda: tmp_path)
    with pytest.raises(ModelError, match="OpenCV cannot load the cascade"):
        cost.open_reference_detector()

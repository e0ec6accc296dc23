"""The sample pictures."""

from __future__ import annotations

import csv
from pathlib import Path

import image_gender_classifier as igc

EASY = {"aksel_andersson": "male", "mona_lisa": "female"}
LARGEST = 64_000  # bytes


def test_the_easy_portraits_are_classified_by_default(samples: Path) -> None:
    classifier = igc.load()
    predictions = {name: classifier.classify(samples / f"{name}.jpg") for name in EASY}
    assert {name: prediction.status for name, prediction in predictions.items()} == dict.fromkeys(
        EASY, "classified"
    )
    assert {name: prediction.gender for name, prediction in predictions.items()} == EASY
    assert min(prediction.confidence or 0 for prediction in predictions.values()) > 0.9


def test_every_portrait_has_its_label(samples: Path) -> None:
    with (samples / "labels.csv").open(newline="", encoding="utf-8") as table:
        labels = {row["user_id"]: row["gender"] for row in csv.DictReader(table)}
    assert labels == {**EASY, "astronaut": "female"}
    assert {path.stem for path in samples.glob("*.jpg")} == {*labels, "cat", "rocket"}


def test_no_sample_is_large(samples: Path) -> None:
    assert max(path.stat().st_size for path in samples.iterdir()) < LARGEST

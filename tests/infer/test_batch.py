from __future__ import annotations

from pathlib import Path
from threading import Barrier

import pytest

import image_gender_classifier as igc
from image_gender_classifier import batch
from image_gender_classifier.errors import ModelError
from image_gender_classifier.results import Prediction
from image_gender_classifier.scan import list_pictures

FOLDER = Path("pictures")


class Counter:
    """Judges, remembers which pictures it has seen, and fails on request."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, picture: Path, file: str) -> Prediction:
        assert picture == FOLDER / file
        self.seen.append(file)
        if file == "model":
            raise ModelError("the model is damaged")
        return Prediction(file, "no_face", "unknown")


def names(count: int) -> list[str]:
    return [f"{number:03}.jpg" for number in range(count)]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_verdicts_come_in_the_order_of_the_pictures(threads: int) -> None:
    classify = Counter()
    predictions = list(batch.run(names(60), FOLDER, classify, threads))
    assert [prediction.file for prediction in predictions] == names(60)
    assert sorted(classify.seen) == names(60)


def test_the_real_verdicts_are_the_same_whatever_the_number_of_threads(
    samples: Path, classifier: igc.GenderClassifier
) -> None:
    files = [picture.file for picture in list_pictures(samples).pictures] * 5
    alone = list(batch.run(files, samples, classifier.classify, threads=1))
    together = list(batch.run(files, samples, classifier.classify, threads=3))
    assert alone == together
    assert {"astronaut.jpg": "classified", "cat.jpg": "no_face"}.items() <= {
        prediction.file: prediction.status for prediction in alone
    }.items()


def test_no_picture_gives_no_verdict() -> None:
    assert list(batch.run([], FOLDER, Counter(), threads=1)) == []


def test_as_many_pictures_are_judged_at_a_time_as_there_are_threads() -> None:
    all_of_them = Barrier(3, timeout=60)

    def classify(_: Path, file: str) -> Prediction:
        all_of_them.wait()
        return Prediction(file, "no_face", "unknown")

    assert len(list(batch.run(names(30), FOLDER, classify, threads=3))) == 30


def test_only_a_few_pictures_are_on_the_way() -> None:
    classify = Counter()
    predictions = batch.run(names(100), FOLDER, classify, threads=1)
    next(predictions)
    predictions.close()
    assert 1 <= len(classify.seen) <= 5


def test_nothing_is_judged_before_the_first_verdict_is_wanted() -> None:
    classify = Counter()
    batch.run(names(10), FOLDER, classify, threads=1).close()
    assert classify.seen == []


def test_a_model_that_fails_stops_the_batch() -> None:
    predictions = batch.run(["a", "model", "c"], FOLDER, Counter(), threads=1)
    assert next(predictions).status == "no_face"
    with pytest.raises(ModelError, match="damaged"):
        list(predictions)

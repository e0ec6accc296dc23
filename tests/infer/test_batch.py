from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import image_gender_classifier as igc
from image_gender_classifier import batch
from image_gender_classifier.errors import ModelError
from image_gender_classifier.listing import list_pictures
from image_gender_classifier.verdict import Verdict

FOLDER = Path("pictures")


class Counter:
    """A judge that tells how many pictures it has seen, and fails on request."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def judge(self, picture: Path, file: str) -> Verdict:
        assert picture == FOLDER / file
        self.seen.append(file)
        if file == "model":
            raise ModelError("the model is damaged")
        return Verdict(file, "no_face", "unknown")


def names(count: int) -> list[str]:
    return [f"{number:03}.jpg" for number in range(count)]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_verdicts_come_in_the_order_of_the_pictures(workers: int) -> None:
    judges = [Counter() for _ in range(workers)]
    verdicts = list(batch.run(names(60), FOLDER, judges))
    assert [verdict.file for verdict in verdicts] == names(60)
    assert sorted(file for judge in judges for file in judge.seen) == names(60)


def test_the_real_judges_agree_whatever_their_number(
    samples: Path, classifier: igc.GenderClassifier
) -> None:
    files = [picture.file for picture in list_pictures(samples).pictures] * 5
    alone = list(batch.run(files, samples, [classifier]))
    together = list(batch.run(files, samples, [classifier, classifier.twin(), classifier.twin()]))
    assert alone == together
    assert [verdict.status for verdict in alone[:3]] == ["classified", "no_face", "no_face"]


def test_no_picture_gives_no_verdict() -> None:
    assert list(batch.run([], FOLDER, [Counter()])) == []


def test_a_judge_has_one_picture_at_a_time() -> None:
    class Alone(Counter):
        def __init__(self) -> None:
            super().__init__()
            self._busy = threading.Lock()

        def judge(self, picture: Path, file: str) -> Verdict:
            assert self._busy.acquire(blocking=False)
            try:
                os.sched_yield()
                return super().judge(picture, file)
            finally:
                self._busy.release()

    judges = [Alone() for _ in range(3)]
    assert len(list(batch.run(names(100), FOLDER, judges))) == 100


def test_only_a_few_pictures_are_on_the_way() -> None:
    judge = Counter()
    verdicts = batch.run(names(100), FOLDER, [judge])
    next(verdicts)
    verdicts.close()
    assert 1 <= len(judge.seen) <= 5


def test_nothing_is_judged_before_the_first_verdict_is_wanted() -> None:
    judge = Counter()
    batch.run(names(10), FOLDER, [judge]).close()
    assert judge.seen == []


def test_a_model_that_fails_stops_the_batch() -> None:
    verdicts = batch.run(["a", "model", "c"], FOLDER, [Counter()])
    assert next(verdicts).status == "no_face"
    with pytest.raises(ModelError, match="damaged"):
        list(verdicts)

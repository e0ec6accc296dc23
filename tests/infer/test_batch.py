from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import image_gender_classifier as igc
from image_gender_classifier import batch
from image_gender_classifier.batch import Outcome
from image_gender_classifier.errors import ModelError
from image_gender_classifier.listing import PictureFile, list_pictures
from image_gender_classifier.verdict import Verdict


class Counter:
    """A judge that tells how many pictures it has seen, and fails on request."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def judge_data(self, data: bytes, file: str) -> Verdict:
        self.seen.append(file)
        if data == b"model":
            raise ModelError("the model is damaged")
        return Verdict(file, "no_face", "unknown", run=self.run_of(data))

    def run_of(self, data: bytes) -> str:
        return data.hex()

    def unreadable(self, file: str, message: str) -> Verdict:
        return Verdict(file, "unreadable", "unknown", run=message, message=message)


def pictures(folder: Path, *contents: bytes) -> list[PictureFile]:
    listed = []
    for number, content in enumerate(contents):
        name = f"{number:03}"
        (folder / f"{name}.jpg").write_bytes(content)
        listed.append(PictureFile(f"{name}.jpg", f"{name}.xml"))
    return listed


def many(folder: Path, count: int) -> list[PictureFile]:
    return pictures(folder, *(str(number).encode() for number in range(count)))


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_outcomes_come_in_the_order_of_the_pictures(workers: int, tmp_path: Path) -> None:
    listed = many(tmp_path, 60)
    judges = [Counter() for _ in range(workers)]
    outcomes = list(batch.run(listed, tmp_path, judges))
    assert [outcome.picture for outcome in outcomes] == listed
    assert [outcome.verdict.file for outcome in outcomes] == [picture.file for picture in listed]
    assert sorted(file for judge in judges for file in judge.seen) == [p.file for p in listed]


def test_the_real_judges_agree_whatever_their_number(
    samples: Path, classifier: igc.GenderClassifier
) -> None:
    listed = list_pictures(samples).pictures * 5
    alone = list(batch.run(listed, samples, [classifier]))
    together = list(batch.run(listed, samples, [classifier, classifier.twin(), classifier.twin()]))
    assert alone == together
    assert [outcome.verdict.status for outcome in alone[:3]] == ["classified", "no_face", "no_face"]


def test_no_picture_gives_no_outcome(tmp_path: Path) -> None:
    assert list(batch.run([], tmp_path, [Counter()])) == []


def test_a_judge_has_one_picture_at_a_time(tmp_path: Path) -> None:
    class Alone(Counter):
        def __init__(self) -> None:
            super().__init__()
            self._busy = threading.Lock()

        def judge_data(self, data: bytes, file: str) -> Verdict:
            assert self._busy.acquire(blocking=False)
            try:
                os.sched_yield()
                return super().judge_data(data, file)
            finally:
                self._busy.release()

    judges = [Alone() for _ in range(3)]
    assert len(list(batch.run(many(tmp_path, 100), tmp_path, judges))) == 100


def test_only_a_few_pictures_are_on_the_way(tmp_path: Path) -> None:
    judge = Counter()
    outcomes = batch.run(many(tmp_path, 100), tmp_path, [judge])
    next(outcomes)
    outcomes.close()
    assert 1 <= len(judge.seen) <= 5


def test_nothing_is_judged_before_the_first_outcome_is_wanted(tmp_path: Path) -> None:
    judge = Counter()
    batch.run(many(tmp_path, 10), tmp_path, [judge]).close()
    assert judge.seen == []


def test_a_file_that_cannot_be_read_has_a_verdict_all_the_same(tmp_path: Path) -> None:
    listed = [PictureFile("gone.jpg", "gone.xml"), *pictures(tmp_path, b"", b"data")]
    outcomes = list(batch.run(listed, tmp_path, [Counter()]))
    assert [outcome.verdict.status for outcome in outcomes] == [
        "unreadable", "unreadable", "no_face"
    ]  # fmt: skip
    assert outcomes[0].verdict.message == "There is no such file (any more); check the path."


def test_an_earlier_verdict_is_kept_without_judging(tmp_path: Path) -> None:
    listed = pictures(tmp_path, b"a", b"b")
    known = Verdict(listed[0].file, "classified", "male", 0.9, run=b"a".hex())
    judge = Counter()
    asked = []

    def earlier(picture: PictureFile, run: str) -> Verdict | None:
        asked.append((picture, run))
        return known if run == known.run else None

    first, second = batch.run(listed, tmp_path, [judge], earlier)
    assert first == Outcome(listed[0], known, kept=True)
    assert (second.kept, judge.seen) == (False, [listed[1].file])
    assert asked == [(listed[0], b"a".hex()), (listed[1], b"b".hex())]


def test_an_earlier_verdict_on_an_unreadable_file_is_kept(tmp_path: Path) -> None:
    listed = pictures(tmp_path, b"")
    (fresh,) = batch.run(listed, tmp_path, [Counter()])
    (again,) = batch.run(listed, tmp_path, [Counter()], lambda _picture, _run: fresh.verdict)
    assert (fresh.kept, again) == (False, Outcome(listed[0], fresh.verdict, kept=True))


def test_a_model_that_fails_stops_the_batch(tmp_path: Path) -> None:
    outcomes = batch.run(pictures(tmp_path, b"a", b"model", b"c"), tmp_path, [Counter()])
    assert next(outcomes).verdict.status == "no_face"
    with pytest.raises(ModelError, match="damaged"):
        list(outcomes)

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.engine import Engine
from image_gender_classifier.scan import list_pictures
from image_gender_classifier.settings import Settings
from image_gender_classifier.system import profiling
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Supervisor

CLASSIFYING = ["read the file", "hash it", "decode it", "find the face", "cut the crop", "classify"]
SECONDS = st.dictionaries(st.text(max_size=8), st.floats(0, 1e6), max_size=6)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.open(Settings(threshold=0.5))


@given(st.lists(SECONDS))
def test_adding_is_by_stage(rounds: list[dict[str, float]]) -> None:
    total: dict[str, float] = {}
    for seconds in rounds:
        profiling.add_seconds(total, seconds)
    assert set(total) == {stage for seconds in rounds for stage in seconds}
    for stage, spent in total.items():
        assert spent == pytest.approx(sum(seconds.get(stage, 0) for seconds in rounds))


@given(SECONDS, st.integers(1, 1000))
def test_a_table_has_a_line_a_stage_and_a_total(seconds: dict[str, float], pictures: int) -> None:
    table = profiling.format_table("title", seconds, pictures)
    assert table.startswith("title")
    assert "total" in table
    for stage in seconds:
        assert stage in table


def test_a_clock_that_runs_tells_each_stage_once() -> None:
    clock = profiling.make_clock(running=True)
    for stage in ("one", "two", "one"):
        clock.lap(stage)
    assert list(clock.take_seconds()) == ["one", "two"]
    assert clock.take_seconds() == {}


def test_a_clock_that_is_off_tells_nothing(engine: Engine, samples: Path) -> None:
    clock = profiling.make_clock(running=False)
    engine.classify_file(samples / "cat.jpg", "cat.jpg", clock=clock)
    assert clock.take_seconds() == {}


def test_a_picture_is_timed_stage_by_stage(
    engine: Engine, face_picture: Path, tmp_path: Path
) -> None:
    clock = profiling.make_clock(running=True)
    prediction = engine.classify_file(face_picture, "a", clock=clock)
    assert prediction == engine.classify_file(face_picture, "a")
    seconds = clock.take_seconds()
    assert list(seconds) == CLASSIFYING
    assert all(spent >= 0 for spent in seconds.values())

    (tmp_path / "broken.jpg").write_bytes(face_picture.read_bytes()[:500])
    engine.classify_file(tmp_path / "broken.jpg", "broken.jpg", clock=clock)
    assert list(clock.take_seconds()) == CLASSIFYING[:3]
    engine.classify_file(tmp_path / "missing.jpg", "missing.jpg", clock=clock)
    assert list(clock.take_seconds()) == CLASSIFYING[:1]


@pytest.mark.parametrize("profile", [False, True])
def test_the_worker_sends_its_times_when_they_are_wanted(profile: bool, folder: Path) -> None:
    task = Task(Settings(), 2, copies=True, profile=profile)
    with Supervisor(task) as supervisor:
        outcomes = list(supervisor.classify(list_pictures(folder).pictures, folder))
        seconds = supervisor.seconds
    assert len(outcomes) == 3
    expected = {"load the libraries", "open the models", "wait for a picture", *CLASSIFYING, "draw"}
    assert set(seconds) == (expected if profile else set())


def test_the_table_adds_up() -> None:
    table = profiling.format_table("Whose", {"read": 1.0, "wait": 3.0}, 4)
    shown = [re.split(r" {2,}", line.strip()) for line in table.splitlines()]
    assert shown == [
        ["Whose", "seconds", "percent", "ms per picture"],
        ["read", "1.000", "25.0%", "250.000"],
        ["wait", "3.000", "75.0%", "750.000"],
        ["total", "4.000", "100.0%", "1000.000"],
    ]

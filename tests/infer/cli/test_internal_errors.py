"""Internal errors are reported and never recorded as `unreadable`."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NoReturn

import pytest

from image_gender_classifier import engine, pipeline

Command = Callable[..., CompletedProcess[str]]
CLASSIFY = pipeline.classify


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the pipeline with one that raises an exception for `cat.jpg`."""

    def faulty(picture: Any, file: str, *others: Any) -> Any:
        if file == "cat.jpg":
            raise ZeroDivisionError("a bug\nof two lines")
        return CLASSIFY(picture, file, *others)

    monkeypatch.setattr(pipeline, "classify", faulty)  # workers are forked from this process


@pytest.mark.usefixtures("broken")
def test_the_run_names_it_goes_on_and_exits_4(command: Command, folder: Path, out: Path) -> None:
    done = command("-i", folder, "-o", out, "--csv", out / "all.csv")
    assert done.returncode == 4
    lines = [line for line in done.stderr.splitlines() if "internal error" in line]
    assert len(lines) == 1
    assert "'cat.jpg'" in lines[0] and "ZeroDivisionError: a bug of two lines" in lines[0]
    assert sorted(path.name for path in out.glob("*.xml")) == ["astronaut.xml", "rocket.xml"]
    assert "cat.jpg" not in (out / "all.csv").read_text()
    assert ", 1 failed;" in done.stdout


def test_resume_tries_it_again(
    command: Command, folder: Path, out: Path, request: pytest.FixtureRequest
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "classify", lambda *_: 1 / 0)
        assert command("-i", folder, "-o", out).returncode == 4
        assert not list(out.iterdir())
    assert command("-i", folder, "-o", out, "--resume").returncode == 0
    assert (out / "cat.xml").exists()


def _exit(*_: Any) -> Any:
    raise SystemExit("a library exits")


def _predict_without_end(picture: Any, file: str, *others: Any) -> Any:
    prediction = CLASSIFY(picture, file, *others)
    return replace(prediction, message="x" * 2**24)  # more than a message may hold


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("fault", "reported"),
    [
        (_exit, "the worker process ended with exit code 70"),
        (_predict_without_end, "ValueError"),
    ],
)
def test_a_bug_in_the_worker_loop_is_not_reported_as_an_unreadable_picture(
    fault: Callable[..., Any],
    reported: str,
    workers: int,
    command: Command,
    folder: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def faulty(picture: Any, file: str, *others: Any) -> Any:
        return (fault if file == "cat.jpg" else CLASSIFY)(picture, file, *others)

    monkeypatch.setattr(pipeline, "classify", faulty)
    done = command("-i", folder, "-o", out, "--workers", workers)
    assert done.returncode == 4, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "internal error" in line]
    assert "'cat.jpg'" in line and reported in line
    assert sorted(path.name for path in out.glob("*.xml")) == ["astronaut.xml", "rocket.xml"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bug_while_a_worker_starts_is_not_a_missing_runtime(
    workers: int, command: Command, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> NoReturn:
        raise KeyError("a bug")

    monkeypatch.setattr(engine, "open_parts", fail)
    done = command("-i", folder, "-o", out, "--workers", workers)
    assert done.returncode == 4, done.stderr
    (line,) = done.stderr.splitlines()
    assert "internal error" in line and "--debug shows the traceback" in line
    assert not list(out.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_lack_of_memory_for_the_models_exits_4_but_is_no_bug(
    workers: int, command: Command, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr(engine, "open_parts", fail)
    done = command("-i", folder, "-o", out, "--workers", workers)
    assert done.returncode == 4, done.stderr
    (line,) = done.stderr.splitlines()
    assert "not enough memory for the models" in line and "internal" not in line


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE])
def test_a_picture_that_cannot_be_read_now_is_tried_again(
    number: int, command: Command, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = os.open

    def fail(path: Any, *others: Any, **more: Any) -> int:
        if os.fspath(path) == str(folder / "cat.jpg"):
            raise OSError(number, os.strerror(number))
        return open_file(path, *others, **more)

    given = ("-i", folder, "-o", out, "--resume", "--detector", "none")
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)  # workers are forked from this process
        for _ in range(2):
            done = command(*given)
            assert done.returncode == 4
            assert "'cat.jpg': " in done.stderr and os.strerror(number) in done.stderr
            assert not (out / "cat.xml").exists()
    assert command(*given).returncode == 0
    before = (out / "cat.xml").read_bytes()
    monkeypatch.setattr(os, "open", fail)
    assert command(*given).returncode == 4
    assert (out / "cat.xml").read_bytes() == before

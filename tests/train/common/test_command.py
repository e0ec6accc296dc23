"""How the workstation's commands end: one line and an exit code, whatever happens."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from image_gender_classifier.errors import OutputError, UsageError
from image_gender_classifier.train.common.command import (
    check_json_path,
    print_line,
    run_with_exit_code,
)


def raising(error: BaseException) -> Callable[[], None]:
    def work() -> NoReturn:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no such option"), 2, "tool: no such option"),
        (OutputError("out: cannot be written"), 3, "tool: out: cannot be written"),
        (OSError(errno.ENOSPC, "No space left", "a.npy"), 3, "tool: a.npy: No space left"),
        (PermissionError(errno.EACCES, "Permission denied", "a.csv"), 2, "a.csv: Permission"),
        (MemoryError(), 2, "out of memory"),
        (UsageError("two\nlines"), 2, "tool: two lines"),
        (PermissionError(errno.EACCES, "Permission denied", "a\nb.csv"), 2, "a b.csv: Permission"),
        (KeyboardInterrupt(), 130, "tool: interrupted"),
        (UsageError("a\x1b[31m.jpg is \x07 wrong"), 2, "tool: a?[31m.jpg is ? wrong"),
    ],
)
def test_each_error_is_one_line_with_an_exit_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with_exit_code("tool", raising(error)) == code
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "terminal closed")],
)
def test_signals_run_the_cleanup_and_set_the_exit_code(
    number: signal.Signals, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tidied = []

    def work() -> None:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            tidied.append(True)

    assert run_with_exit_code("tool", work) == code
    assert capsys.readouterr().err == f"tool: {said}\n"
    assert tidied


_DATA = ("--data", "x", "--layout", "folders")
_MODEL = (*_DATA, "--model", "x.keras", "--out", "x")


@pytest.mark.parametrize(
    ("module", "main", "arguments", "extra"),
    [
        ("train.gender.cli", "main", (*_DATA, "--out", "x"), "train"),
        (
            *("train.detector.cli", "main"),
            *((*_DATA, "--out", "x", "--backgrounds", "x"), "train"),
        ),
        ("train.evaluation.report", "main", _DATA, "train"),
        ("train.evaluation.evaluate", "main", (*_DATA, "--model", "x.keras"), "train"),
        ("convert.cli", "main", _MODEL, "convert"),
        ("convert.cli", "main_detector", (*_MODEL, "--backgrounds", "x"), "convert"),
    ],
)
def test_a_missing_library_names_the_extra(
    module: str, main: str, arguments: tuple[str, ...], extra: str
) -> None:
    libraries = ["tensorflow", "keras", "pydantic", "matplotlib", "onnx", "tf2onnx"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({libraries!r}));"
        f"from image_gender_classifier.{module} import {main} as main;"
        f"sys.exit(main({list(arguments)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert f" is not installed; run: pip install 'image-gender-classifier[{extra}]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_module_of_the_package_is_raised() -> None:
    with pytest.raises(ModuleNotFoundError):
        run_with_exit_code(
            "tool", raising(ModuleNotFoundError(name="image_gender_classifier.lost"))
        )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_printing_to_a_closed_or_full_stream_is_no_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_line("a word", None)
    with Path("/dev/full").open("w") as full:
        print_line("a word", full)
        target = Path(f"/proc/self/fd/{full.fileno()}").readlink()
        assert target == Path(os.devnull), "later lines are discarded"
    print_line("a word", sys.stdout)
    assert capsys.readouterr().out == "a word\n"


def test_the_json_path_must_not_be_a_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="pipe, socket or device"):
        check_json_path(tmp_path / "pipe")
    check_json_path(tmp_path / "new.json")


def test_too_little_memory_for_tensorflow_is_no_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tf = pytest.importorskip("tensorflow")
    with tf.device("CPU"):
        assert run_with_exit_code("tool", lambda: tf.random.normal((1 << 20, 1 << 20))) == 2
    assert capsys.readouterr().err == "tool: out of memory; use less data or a smaller batch\n"


def test_other_errors_are_raised() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_with_exit_code("tool", fail)

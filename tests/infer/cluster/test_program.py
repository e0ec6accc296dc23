"""The command `image-gender-ray` without a cluster: options, messages and the summary."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

pytest.importorskip("pyarrow")

from image_gender_classifier.cluster import program
from image_gender_classifier.cluster.connection import connect
from image_gender_classifier.cluster.formats import guess_format
from image_gender_classifier.cluster.messages import Console
from image_gender_classifier.cluster.parser import parse
from image_gender_classifier.cluster.storage import describe_error
from image_gender_classifier.cluster.summary import format_summary
from image_gender_classifier.errors import (
    InternalError,
    OutputError,
    RuntimeMissing,
    Unfinished,
    UsageError,
)
from image_gender_classifier.settings import Settings

HOSTILE, ESCAPED = "a\x9b2J\u202e\udcff", "a%C2%9B2J%E2%80%AE%FF"
NEEDED = ["--input", "in", "--output", "out"]


def make_ray_error(name: str, cause: Exception | None = None) -> Exception:
    """Makes an exception like those of Ray, which derives a class for that of a task."""
    kind = type(name, (Exception,), {"__module__": "ray.exceptions", "cause": cause})
    error: Exception = kind("the first line\nthe last line")
    return error


def test_defaults() -> None:
    options = parse(NEEDED)
    assert options.settings == Settings()
    assert (options.batch, options.rows_per_file, options.workers) == (64, 10_000, None)
    assert options.columns == ("path", "bytes")
    assert not options.resume
    assert options.form is None


@pytest.mark.parametrize(
    ("path", "form"),
    [("bucket/photos", "pictures"), ("a/photos.parquet", "parquet"), ("one.TAR", "tar"),
     ("one.tar.gz", "tar")],
)  # fmt: skip
def test_the_name_of_the_input_tells_the_format(path: str, form: str) -> None:
    assert guess_format(path) == form


@pytest.mark.parametrize(
    "wrong",
    [
        ["--workers", "0"],
        ["--batch", "x"],
        ["--threshold", "2"],
        ["--format", "zip"],
        ["--max-bytes", str(2**40 + 1)],
    ],
)
def test_wrong_values_are_refused(wrong: list[str]) -> None:
    with pytest.raises(UsageError, match="image-gender-ray --help"):
        parse([*NEEDED, *wrong])


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert program.main(["--input", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("image-gender-ray: Ray Data is needed: pip install 'image-gender-")
    assert said.count("\n") == 1


def test_the_summary_counts_each_row_once() -> None:
    counts = Counter(female=3, male=1, no_face=2, unreadable=1, failed=1, kept=12)
    assert format_summary(counts, 2.0) == (
        "8 pictures: 3 female, 1 male, 0 uncertain, 2 no face, 1 unreadable, 1 failed; 12 of 20 "
        "kept from an earlier run; 2.0 s, 4.0 pictures per second"
    )


def test_the_package_imports_neither_ray_nor_pyarrow_before_it_is_needed() -> None:
    code = (
        "import sys; from image_gender_classifier.cluster import classify, program\n"
        "sys.exit(bool({'ray', 'pyarrow', 'cv2'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError, 2), (RuntimeMissing, 2), (OutputError, 3), (InternalError, 4), (Unfinished, 4)],
)
def test_each_error_has_its_exit_code(
    error: type[Exception],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> NoReturn:
        raise error("it failed")

    monkeypatch.setattr(program, "_run", fail)
    assert program.main(NEEDED) == code
    assert capsys.readouterr().err == "image-gender-ray: it failed\n"


@pytest.mark.parametrize(("cause", "code"), [(UsageError("wrong"), 2), (KeyError("bug"), 4)])
def test_debug_adds_the_traceback_and_changes_no_exit_code(
    cause: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> NoReturn:
        raise RuntimeError("a task failed") from cause

    monkeypatch.setattr(program, "_run", fail)
    assert program.main(NEEDED) == code
    message = capsys.readouterr().err.replace("; --debug shows the traceback", "")
    assert "Traceback" not in message
    assert program.main([*NEEDED, "--debug"]) == code
    said = capsys.readouterr().err
    assert "Traceback" in said and said.splitlines()[-1] == message.rstrip("\n")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("bug"), "internal error (KeyError: 'bug'); --debug shows the traceback"),
        (MemoryError(), "out of memory; stop other programs"),
        (
            make_ray_error("RayTaskError(KeyError)", KeyError("bug\nretried 3 times")),
            "internal error (KeyError: 'bug\\nretried 3 times'); --debug shows the traceback",
        ),
        (
            make_ray_error("RayTaskError(ValueError)", ValueError("a bug\nretried 3 times")),
            "internal error (ValueError: a bug); --debug shows the traceback",
        ),
        (
            make_ray_error("RayTaskError(ImportError)", ImportError("no module")),
            "Ray failed: RayTaskError(ImportError): the last line; --debug shows more",
        ),
        (
            make_ray_error("ActorDiedError"),
            "Ray failed: ActorDiedError: the last line; --debug shows more",
        ),
    ],
)
def test_bugs_are_distinguished_from_failures_of_ray(
    error: Exception,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(program, "_run", fail)
    assert program.main(NEEDED) == 4
    advice = "run the same command with --resume to continue"
    assert capsys.readouterr().err == f"image-gender-ray: {message}; {advice}\n"


def test_an_exception_that_code_of_ray_raises_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code: dict[str, Any] = {"__name__": "ray.data.dataset"}
    exec("def fail(_):\n    raise RuntimeError('the connection is lost')", code)
    monkeypatch.setattr(program, "_run", code["fail"])
    assert program.main(NEEDED) == 4
    assert "Ray failed: RuntimeError: the connection is lost; " in capsys.readouterr().err


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{}", "[::1]:{}", "no-such-host.invalid:{}", "x:{}00000"]
)
def test_a_cluster_that_does_not_answer_is_reported_at_once(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        pytest.raises(UsageError, match=r"cannot use the cluster .*; check --address"),
        connect(host.format(port), debug=False),
    ):
        pass


def test_messages_have_no_characters_that_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> NoReturn:
        raise UsageError(HOSTILE)

    monkeypatch.setattr(program, "_run", fail)
    assert program.main(NEEDED) == 2
    Console(None, sys.stderr).say(HOSTILE)
    assert capsys.readouterr().err == f"image-gender-ray: {ESCAPED}\n" * 2
    assert describe_error(ValueError(HOSTILE)) == ESCAPED

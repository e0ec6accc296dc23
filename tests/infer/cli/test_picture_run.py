"""Runs that print predictions: given pictures, folders, standard input and pipes."""

from __future__ import annotations

import faulthandler
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from typing import Any

import pytest

from image_gender_classifier.cli.streams import store_stream
from image_gender_classifier.engine import Engine
from image_gender_classifier.errors import UsageError
from image_gender_classifier.results import Prediction

Command = Callable[..., CompletedProcess[str]]
Start = Callable[..., Popen[str]]

ASTRONAUT = "female 0.937, face at 166,65 (122x122)"
BROKEN_PIPE = 141
WORDS = (sys.executable, "-m", "image_gender_classifier")


@contextmanager
def standard_input(file: int) -> Iterator[None]:
    """Makes an open file the standard input of this process, while the context is open."""
    kept = os.dup(0)
    os.dup2(file, 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def read_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_picture_has_a_line_in_the_given_order(
    command: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("text")
    (folder / "sub").mkdir()
    shutil.copy(folder / "cat.jpg", folder / "sub" / "cat\n.jpg")
    done = command("--recursive", folder / "cat.jpg", "gone.jpg", "in", "in/notes.txt")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{folder}/cat.jpg: no face",
        f"in/astronaut.jpg: {ASTRONAUT}",
        "in/cat.jpg: no face",
        "in/empty.jpg: unreadable, the file is empty; copy it again from its source",
        "in/rocket.jpg: no face",
        "in/sub/cat%0A.jpg: no face",
        "in/notes.txt: unreadable, not a picture of a supported format; convert it to JPEG or PNG",
    ]
    assert done.stderr == "image-gender-classifier: 'gone.jpg': no such file; check the path\n"


def test_only_missing_paths_are_wrong_usage(command: Command, tmp_path: Path) -> None:
    done = command(tmp_path / "a.jpg", "", tmp_path, "n" * 300)
    assert (done.returncode, done.stdout) == (2, "")
    missing, unset, empty, long = done.stderr.splitlines()
    assert "a.jpg': no such file" in missing
    assert "'': no such file" in unset
    assert f"{tmp_path}: no picture in this folder" in empty
    assert "cannot be read (File name too long)" in long


def test_printed_tables_are_those_of_files(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    table, given = tmp_path / "t.jsonl", ("-i", folder, "-o", out)
    both = command(*given, "--csv", "-", "--jsonl", table, "--progress", "json")
    assert both.returncode == 0 and len(list(out.iterdir())) == 3
    assert both.stdout.startswith("id,file,gender,") and both.stdout.count("\n") == 4
    *records, summary = both.stderr.splitlines()
    assert summary.startswith("3 pictures: ")
    first, *_, last = map(json.loads, records)
    assert (first["done"], first["remaining"], first["final"]) == (0, None, False)
    assert first["elapsed"] <= last["elapsed"]
    assert {name: last[name] for name in last if name != "elapsed"} == {
        **{"done": 3, "total": 3, "female": 1, "male": 0, "uncertain": 0, "no_face": 2},
        **{"unreadable": 0, "reviewed": 0, "internal_errors": 0, "kept": 0},
        **{"remaining": 0.0, "final": True},
    }
    printed = command("-i", folder, "--json", "--summary", "json")
    assert printed.stdout == table.read_text("utf-8")
    assert list(read_lines(printed.stdout)[0]) == list(
        Prediction("a.jpg", "no_face", "unknown").to_dict()
    )
    assert json.loads(printed.stderr)["pictures"] == 3


def test_a_picture_may_be_given_like_a_folder(command: Command, samples: Path) -> None:
    done = command(f"{samples}/astronaut.jpg/")
    assert (done.returncode, done.stdout) == (0, f"{samples}/astronaut.jpg/: {ASTRONAUT}\n")


def test_standard_input_is_a_picture(command: Command, samples: Path) -> None:
    with (samples / "astronaut.jpg").open("rb") as file, standard_input(file.fileno()):
        done = command(samples / "cat.jpg", "-", "--json")
    cat, astronaut = read_lines(done.stdout)
    assert cat["file"] == f"{samples}/cat.jpg"
    assert (astronaut["file"], astronaut["p_female"]) == ("-", 0.937)
    with (samples / "astronaut.jpg").open("rb") as file, standard_input(file.fileno()):
        done = command("-", "--max-bytes", 1000)
    assert done.returncode == 1
    assert done.stdout.startswith("-: unreadable, ") and "--max-bytes" in done.stdout


def test_a_pipe_and_what_only_this_process_has_open_are_pictures(
    command: Command, samples: Path
) -> None:
    source, sink = os.pipe()
    os.write(sink, (samples / "cat.jpg").read_bytes()[:1000])
    os.close(sink)
    with (samples / "cat.jpg").open("rb") as file:
        named = f"/dev/fd/{file.fileno()}"
        done = command(f"/dev/fd/{source}", named)
    os.close(source)
    half, whole = done.stdout.splitlines()
    assert half.startswith(f"/dev/fd/{source}: unreadable, ") and "no such file" not in half
    assert whole == f"{named}: no face"


def test_standard_input_is_stored_up_to_the_limit_and_removed(tmp_path: Path) -> None:
    source, sink = os.pipe()
    os.write(sink, b"12345")
    with ExitStack() as stack, standard_input(source):
        path = Path(store_stream("-", stack, 3))
        assert path.read_bytes() == b"1234"
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.parent.exists()
    for end in (source, sink):
        os.close(end)


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    source, sink = os.pipe()
    os.set_blocking(source, False)

    def write() -> None:
        with os.fdopen(sink, "wb") as file:
            file.write(b"123")

    threading.Timer(0.2, write).start()
    with ExitStack() as stack, standard_input(source):
        assert Path(store_stream("-", stack, 10)).read_bytes() == b"123"
    os.close(source)


def test_a_terminal_as_standard_input_is_refused() -> None:
    ends = os.openpty()
    with (
        ExitStack() as stack,
        standard_input(ends[1]),
        pytest.raises(UsageError, match="is a terminal"),
    ):
        store_stream("-", stack, 3)
    for end in ends:
        os.close(end)


def test_a_closed_standard_input_is_no_empty_picture() -> None:
    shell = ["sh", "-c", 'exec "$@" <&-', "sh"]
    done = subprocess.run([*shell, *WORDS, "-"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "-: standard input is closed; redirect a picture to it" in done.stderr


def test_a_decoder_crash_costs_one_picture(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classify = Engine.classify_file

    def crash_at_cat(self: Engine, path: str, file: str, *rest: Any) -> Prediction:
        if file.endswith("cat.jpg"):
            faulthandler.disable()  # that of pytest
            os.kill(os.getpid(), signal.SIGSEGV)
        return classify(self, path, file, *rest)

    monkeypatch.setattr(Engine, "classify_file", crash_at_cat)  # the workers are forked from here
    done = command(folder, "--json")
    assert done.returncode == 1
    answers = {Path(line["file"]).stem: line["status"] for line in read_lines(done.stdout)}
    assert answers == {"astronaut": "classified", "cat": "unreadable", "rocket": "no_face"}


def test_a_picture_without_an_answer_has_no_line(
    command: Command, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Prediction:
        raise KeyError("a bug")

    monkeypatch.setattr(Engine, "classify_file", fail)
    done = command(samples / "cat.jpg")
    assert (done.returncode, done.stdout) == (4, "")
    assert "it has no line; --debug shows the traceback" in done.stderr


def run_into(stdout: Any, *arguments: object, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [*WORDS, *map(str, arguments)], stdout=stdout, stderr=PIPE, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_reader_that_ends_early_ends_a_run_quietly_but_no_xml_file_is_lost(
    folder: Path, out: Path
) -> None:
    source, sink = os.pipe()
    os.close(source)
    assert run_into(sink, folder) == (BROKEN_PIPE, "")
    assert run_into(sink, "-i", folder, "-o", out, "--json", "--quiet") == (0, "")
    os.close(sink)
    assert len(list(out.iterdir())) == 3


def test_a_full_disk_behind_standard_output_is_reported(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        code, said = run_into(full, folder / "cat.jpg")
    assert code == 3
    assert said.count("\n") == 1 and "standard output cannot be written (No space" in said


def test_names_that_the_locale_lacks_are_escaped(samples: Path, tmp_path: Path) -> None:
    shutil.copy(samples / "cat.jpg", tmp_path / "é.jpg")
    with (tmp_path / "lines").open("w") as lines:
        assert run_into(lines, tmp_path / "é.jpg", PYTHONIOENCODING="ascii") == (0, "")
    assert (tmp_path / "lines").read_bytes() == f"{tmp_path}/\\xe9.jpg: no face\n".encode()


def test_ctrl_c_ends_the_wait_for_standard_input(tmp_path: Path) -> None:
    running = Popen(
        [*WORDS, "-"], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    while running.poll() is None and not list(tmp_path.glob("igc-*/picture")):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=120) == ("", "image-gender-classifier: interrupted\n")
    assert running.returncode == 130
    assert list(tmp_path.iterdir()) == []

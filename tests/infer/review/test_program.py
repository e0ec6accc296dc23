"""The command line of `image-gender-review`."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from subprocess import run as run_process
from typing import NoReturn
from urllib.request import urlopen

import pytest
from reviews import Review

from image_gender_classifier.cli.program import main as classify
from image_gender_classifier.errors import Unfinished
from image_gender_classifier.outputs.corrections import Correction, write_corrections
from image_gender_classifier.review import program
from image_gender_classifier.workers import previewing
from image_gender_classifier.workers.exit_status import INTERNAL_ERROR_CODE

Run = Callable[..., CompletedProcess[str]]
PROGRAM = "import sys; from image_gender_classifier.review.program import main; sys.exit(main())"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_review(*options: object) -> CompletedProcess[str]:
        arguments = [str(option) for option in options]
        capsys.readouterr()
        code = program.main(arguments)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return CompletedProcess(arguments, code, said.out, said.err)

    return run_review


def test_writes_a_page_again_and_removes_only_its_own_files(review: Review, run: Run) -> None:
    html = review.pictures.parent / "page.html"
    options = ("-i", review.pictures, "-o", review.output, "--html", html)
    done = run(*options)
    assert done.returncode == 0
    assert "5 pictures: open" in done.stderr
    folder = html.with_name("page_files")
    first = {path.relative_to(folder) for path in folder.rglob("*.jpg")}
    assert len(first) == 4
    (folder / "thumbnails" / "mine.jpg").touch()
    (review.output / "1.xml").unlink()
    (review.pictures / "rocket.jpg").unlink()
    done = run(*options)
    assert "1 of them are missing" in done.stderr
    second = {path.relative_to(folder) for path in folder.rglob("*.jpg")}
    assert len(second) == 3
    assert Path("thumbnails/mine.jpg") in second
    assert not list(html.parent.rglob("*.partial"))


def test_the_page_has_the_corrections_of_the_file(review: Review, run: Run) -> None:
    corrections = {
        "astronaut.jpg": Correction("male", (300, 200, 90, 90)),
        "elsewhere.jpg": Correction("female"),
        "mona_lisa.jpg": Correction("male", picture="sha256:0000000000000000"),  # changed since
    }
    write_corrections(review.corrections, corrections)
    html = review.pictures.parent / "page.html"
    run("-i", review.pictures, "-o", review.output, "--html", html)
    data = html.with_name("page_files").joinpath("data.js").read_text()
    assert '"corrections":[[0,"male",1]]' in data
    assert "elsewhere.jpg,female" in data


def test_wrong_usage_is_one_line_and_exit_code_2(review: Review, run: Run, tmp_path: Path) -> None:
    usual = ("-i", review.pictures, "-o", review.output)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wrong: list[tuple[tuple[object, ...], str]] = [
            (usual, "--port --html is required"),
            ((*usual, "--port", "x"), "x is not a port"),
            ((*usual, "--port", taken.getsockname()[1]), "cannot be used"),
            (("-i", tmp_path / "gone", "-o", review.output, "--port", 0), "does not exist"),
            (("-i", review.pictures, "-o", review.pictures, "--port", 0), "classify"),
            ((*usual, "--html", tmp_path / "gone" / "page.html"), "does not exist"),
            ((*usual, "--html", review.pictures / "sub" / "page.html"), "would be classified"),
        ]
        for options, message in wrong:
            done = run(*options)
            assert done.returncode == 2
            assert message in done.stderr
            assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("how", [["--port", "0"], ["--html", "{folder}/page.html"]])
def test_a_folder_without_any_of_the_pictures_is_refused(
    how: list[str], review: Review, run: Run, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    options = [option.format(folder=tmp_path) for option in how]
    refused = run("-i", wrong, "-o", review.output, *options)
    assert refused.returncode == 2
    assert "has no picture of the predictions, such as" in refused.stderr
    assert not (tmp_path / "page.html").exists()


def test_an_output_that_cannot_be_written_is_exit_code_3(review: Review, run: Run) -> None:
    html = review.pictures.parent / "page.html"
    html.with_name("page_files").symlink_to(review.output)
    done = run("-i", review.pictures, "-o", review.output, "--html", html)
    assert done.returncode == 3
    assert "symbolic link" in done.stderr


def _end_like_a_bug(_: object) -> NoReturn:
    os._exit(INTERNAL_ERROR_CODE)


def _lack_memory(_: object) -> NoReturn:
    raise Unfinished("not enough memory for the libraries")


@pytest.mark.parametrize(
    ("load", "message"),
    [(_end_like_a_bug, "internal error (the worker process"), (_lack_memory, "not enough memory")],
)
def test_a_bug_or_a_lack_of_memory_is_exit_code_4(
    load: Callable[[object], NoReturn],
    message: str,
    review: Review,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(previewing, "load", load)  # the workers are forked from here
    html = review.pictures.parent / "page.html"
    done = run("-i", review.pictures, "-o", review.output, "--html", html, "--quiet")
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert message in line
    assert not html.exists()


def test_the_server_prints_its_address_and_ends_when_terminated(review: Review) -> None:
    options = ["-i", review.pictures, "-o", review.output, "--port", 0]
    command = [sys.executable, "-c", PROGRAM, *map(str, options)]
    with Popen(command, stderr=PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        (url,) = [word for word in line.split() if word.startswith("http://127.0.0.1:")]
        with urlopen(f"{url}thumbnails/0") as answer:
            assert answer.headers["X-Size"] == "512x512"
        process.terminate()
        rest = process.stderr.read()
        assert process.wait(60) == 143
    assert "Traceback" not in rest


def test_messages_have_no_characters_that_control_the_terminal(review: Review, run: Run) -> None:
    done = run("-i", "a\x9b2J\u202e", "-o", review.output, "--port", 0)
    assert done.returncode == 2
    assert "a%C2%9B2J%E2%80%AE" in done.stderr


def test_a_second_server_for_the_same_corrections_is_refused(review: Review, run: Run) -> None:
    """Both would write the whole file, and each would lose what the other one has saved."""
    usual = ("-i", review.pictures, "-o", review.output)
    command = [sys.executable, "-c", PROGRAM, *map(str, usual), "--port", "0"]
    with Popen(command, stderr=PIPE, text=True) as process:
        assert process.stderr is not None and "http://127.0.0.1:" in process.stderr.readline()
        second = run(*usual, "--port", 0)
        assert second.returncode == 2
        assert "another image-gender-review saves to this file" in second.stderr
        assert run(*usual, "--html", review.pictures.parent / "page.html").returncode == 0
        write_corrections(review.corrections, {"mona_lisa.jpg": Correction("male")})
        options = [*usual, "--corrections", review.corrections, "--quiet"]
        assert classify(list(map(str, options))) == 1  # one is unreadable
        process.terminate()
    assert not list(review.output.glob(".igc-*"))


def test_the_server_reports_a_deleted_file_of_corrections(review: Review) -> None:
    write_corrections(review.corrections, {"mona_lisa.jpg": Correction("male")})
    options = ["-i", review.pictures, "-o", review.output, "--port", 0]
    command = [sys.executable, "-c", PROGRAM, *map(str, options)]
    with Popen(command, stderr=PIPE, text=True) as process:
        assert process.stderr is not None
        (url,) = [word for word in process.stderr.readline().split() if "http:" in word]
        review.corrections.unlink()
        with urlopen(f"{url}data.js") as answer:
            assert b'"corrections":[[2,"male",0]]' in answer.read()
        assert "with all 1 correction; to start anew" in process.stderr.readline()
        process.terminate()


def test_columns_that_the_server_would_lose_are_refused(review: Review, run: Run) -> None:
    review.corrections.write_text("file,gender,comment\nmona_lisa.jpg,male,sure\n")
    refused = run("-i", review.pictures, "-o", review.output, "--port", 0)
    assert refused.returncode == 2
    assert "the review would lose the column 'comment'" in refused.stderr
    assert "sure" in review.corrections.read_text()


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_bug_is_one_line(debug: list[str], review: Review, tmp_path: Path) -> None:
    faulty = (
        "from image_gender_classifier.review import files\n"
        "files.write_files = lambda _: 1 / 0\n" + PROGRAM
    )
    options = ["-i", review.pictures, "-o", review.output, "--html", tmp_path / "page.html"]
    command = [sys.executable, "-c", faulty, *map(str, options), *debug]
    done = run_process(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "internal error (ZeroDivisionError: division by zero)" in done.stderr.splitlines()[-1]
    assert ("Traceback" in done.stderr) == bool(debug)


def test_help_names_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["--help"])
    said = capsys.readouterr().out
    assert "--html" in said
    assert "--port" in said

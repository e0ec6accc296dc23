"""Watched folders: each new picture is classified once, when it is complete."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from image_gender_classifier.cli import options, program, watching
from image_gender_classifier.cli.arrivals import Arrivals
from image_gender_classifier.cli.start import start_workers
from image_gender_classifier.outputs.picture_content import content_hash
from image_gender_classifier.workers.supervisor import Outcome, Supervisor

pytestmark = pytest.mark.slow

TIMEOUT = 60  # seconds; workers start slowly on a busy machine


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    return tmp_path / "in", tmp_path / "out"


def watch(folders: tuple[Path, Path], scans: int, *more: str) -> None:
    pictures, predictions = folders
    given = ["-i", str(pictures), "-o", str(predictions), "--watch", *more]
    parsed = options.parse_options(given)
    with start_workers(parsed) as supervisor:
        watching.watch_folder(parsed, supervisor, scans, pause=0)


def test_predictions_are_those_of_a_folder_run(
    samples: Path, folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, predictions = folders
    for picture in samples.glob("*.jpg"):
        copyfile(picture, pictures / picture.name)
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    likelier = ("--threshold", "0.5")
    watch(folders, 3, *likelier)
    said = capsys.readouterr().err
    assert "'astronaut.jpg': female" in said
    assert "'cat.jpg': no face" in said
    assert said.count("'broken.jpg'") == 1
    (tmp_path / "run").mkdir()
    given = ["-i", str(pictures), "-o", str(tmp_path / "run"), "--quiet", *likelier]
    assert program.main(given) == 1
    written = {path.name: path.read_bytes() for path in predictions.iterdir()}
    assert written == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    before = {path: path.stat().st_mtime_ns for path in predictions.iterdir()}
    watch(folders, 2, *likelier)
    assert {path: path.stat().st_mtime_ns for path in predictions.iterdir()} == before
    assert "astronaut" not in capsys.readouterr().err


def test_quiet_reports_unreadable_pictures_only(
    folders: tuple[Path, Path], samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copyfile(samples / "cat.jpg", folders[0] / "cat.jpg")
    (folders[0] / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    watch(folders, 3, "--quiet")
    (said,) = capsys.readouterr().err.splitlines()
    assert "'broken.jpg': " in said


def test_an_empty_folder_can_be_watched(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    watch(folders, 2, "--quiet")
    assert capsys.readouterr().err == ""
    assert not list(folders[1].iterdir())


def test_a_picture_deleted_before_classification_has_no_xml(
    folders: tuple[Path, Path], samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, predictions = folders
    copyfile(samples / "cat.jpg", pictures / "cat.jpg")
    find = Arrivals.find_ready

    def found_and_deleted(self: Arrivals, *given: object) -> object:
        ready = find(self, *given)  # type: ignore[arg-type]
        if ready:
            (pictures / "cat.jpg").unlink()
        return ready

    monkeypatch.setattr(Arrivals, "find_ready", found_and_deleted)
    watch(folders, 3)
    assert not list(predictions.iterdir())


def test_a_picture_named_like_an_xml_file_does_not_stop_watching(
    tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output folder is the input folder."""
    folder = tmp_path / "both"
    folder.mkdir()
    copyfile(samples / "cat.jpg", folder / "x.jpg")
    watch((folder, folder), 2)
    assert {path.name for path in folder.iterdir()} == {"x.jpg", "x.xml"}
    for name in ("x.xml", "y.xml"):
        copyfile(samples / "rocket.jpg", folder / name)
    watch((folder, folder), 3)
    assert {path.name for path in folder.iterdir()} == {
        *("x.jpg", "x.xml", "x.jpg.xml", "x.xml.xml", "y.xml", "y.xml.xml"),
    }
    assert (folder / "x.xml").read_bytes() == (samples / "rocket.jpg").read_bytes()
    assert b'file="x.xml"' in (folder / "x.xml.xml").read_bytes()
    said = capsys.readouterr().err
    assert "'x.jpg': no face" in said and "'x.xml': no face" in said


def test_an_unfinished_picture_is_tried_again(
    folders: tuple[Path, Path], samples: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    copyfile(samples / "cat.jpg", folders[0] / "cat.jpg")
    classify, slow = Supervisor.classify, [True]

    def classify_slowly(self: Supervisor, *given: Any) -> Iterator[Outcome]:
        for outcome in classify(self, *given):
            late = bool(slow) and slow.pop()
            yield (
                Outcome(outcome.picture, None, error="no result within 60 s", unfinished=True)
                if late
                else outcome
            )

    monkeypatch.setattr(Supervisor, "classify", classify_slowly)
    watch(folders, 40)
    assert (folders[1] / "cat.xml").exists()
    said = capsys.readouterr().err
    assert said.count("'cat.jpg': no result within 60 s; no XML file is written; ") == 1
    assert "it is tried again later" in said and "--resume" not in said
    assert said.count("'cat.jpg': no face") == 1


def test_a_disk_that_fails_for_a_moment_does_not_stop_watching(
    folders: tuple[Path, Path], samples: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    picture = folders[0] / "cat.jpg"
    copyfile(samples / "cat.jpg", picture)
    classify, stat, tries = Supervisor.classify, os.stat, [1]

    def fail(path: Any, **more: Any) -> os.stat_result:
        if os.fspath(path) == str(picture):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return stat(path, **more)

    def classify_failing(self: Supervisor, *given: Any) -> Iterator[Outcome]:
        for outcome in classify(self, *given):
            if not tries:
                yield outcome
                continue
            tries.pop()
            with monkeypatch.context() as patch:
                patch.setattr(os, "stat", fail)
                yield Outcome(outcome.picture, None, error="cannot be read", unfinished=True)

    monkeypatch.setattr(Supervisor, "classify", classify_failing)
    watch(folders, 40)
    assert "'cat.jpg': cannot be read" in capsys.readouterr().err
    assert (folders[1] / "cat.xml").exists()


def test_a_symbolic_link_in_the_output_does_not_stop_watching(
    tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where those who add pictures can write into the output folder too."""
    pictures, predictions, elsewhere = tmp_path / "up", tmp_path / "up" / "out", tmp_path / "tmp"
    for folder in (pictures / "x", predictions, elsewhere):
        folder.mkdir(parents=True)
    (predictions / "x").symlink_to(elsewhere)
    copyfile(samples / "cat.jpg", pictures / "x" / "a.jpg")
    copyfile(samples / "rocket.jpg", pictures / "b.jpg")
    watch((pictures, predictions), 3, "--recursive")
    assert list(elsewhere.iterdir()) == []
    names = {path.name.partition("~")[0] for path in predictions.iterdir()}
    assert names == {"x", "a", "b.xml"}
    assert "'x/a.jpg': the XML file is called 'a~" in capsys.readouterr().err


def test_a_deleted_or_unreadable_subfolder_does_not_stop_watching(
    folders: tuple[Path, Path], samples: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pictures, predictions = folders
    copyfile(samples / "cat.jpg", pictures / "cat.jpg")
    for name in ("closed", "vanishing"):
        (pictures / name).mkdir()
    scandir = os.scandir

    def scanning(folder: Path) -> object:
        if folder == pictures / "closed":
            raise PermissionError(13, "Permission denied")
        if folder == pictures / "vanishing":
            folder.rmdir()
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scanning)
    watch(folders, 4, "--recursive")
    assert [path.name for path in predictions.iterdir()] == ["cat.xml"]
    said = capsys.readouterr().err
    assert said.count("closed': the folder cannot be read (Permission denied)") == 1
    assert said.count("vanishing': the folder cannot be read (No such file") == 1


def test_annotated_copies_in_the_watched_folder_are_rejected(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["-i", str(folders[0]), "-o", str(folders[1]), "--watch"]
    assert program.main([*given, "--annotate", str(folders[0])]) == 2
    assert "is the watched folder" in capsys.readouterr().err


def test_a_picture_whose_output_would_replace_a_picture_is_skipped(
    tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The annotated copy of in/a.jpg would replace the picture a.jpg."""
    pictures = tmp_path / "in"
    (pictures / "in").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    copyfile(samples / "cat.jpg", pictures / "in" / "a.jpg")
    copyfile(samples / "rocket.jpg", pictures / "a.jpg")
    watch((pictures, tmp_path / "out"), 4, "--recursive", "--annotate", str(tmp_path))
    assert (pictures / "a.jpg").read_bytes() == (samples / "rocket.jpg").read_bytes()
    assert (tmp_path / "a.jpg").exists() and (tmp_path / "out" / "a.xml").exists()
    said = capsys.readouterr().err
    assert said.count("would be overwritten by the output of 'in/a.jpg', which is skipped") == 1


def test_the_command_watches_until_it_is_stopped(folders: tuple[Path, Path], samples: Path) -> None:
    pictures, predictions = folders
    command = [sys.executable, "-m", "image_gender_classifier", "--watch"]
    process = subprocess.Popen(
        [*command, "-i", str(pictures), "-o", str(predictions)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for name in ("astronaut", "cat"):
            copyfile(samples / f"{name}.jpg", pictures / f".{name}")
            (pictures / f".{name}").rename(pictures / f"{name}.jpg")
            until = time.monotonic() + TIMEOUT
            while not (predictions / f"{name}.xml").exists():
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 143
    assert "until stopped" in said
    assert said.endswith(
        "terminated; finished results are kept; run the same command to continue\n"
    )
    assert "Traceback" not in said


@pytest.mark.parametrize("option", ["--csv", "--jsonl", "--report", "--profile"])
def test_options_that_need_the_end_of_a_run_are_rejected(
    option: str, folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = [] if option == "--profile" else [str(tmp_path / "table")]
    given = ["-i", str(folders[0]), "-o", str(folders[1]), "--watch", option, *value]
    assert program.main(given) == 2
    assert f"{option} cannot be used with --watch" in capsys.readouterr().err


def test_corrections_that_are_saved_later_are_applied(
    folders: tuple[Path, Path], samples: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Also those for renamed pictures; a wrong or missing file does not stop watching."""
    pictures, predictions = folders
    for name in ("astronaut", "cat", "rocket"):
        copyfile(samples / f"{name}.jpg", pictures / f"{name}.jpg")
    cat = content_hash((pictures / "cat.jpg").read_bytes())
    table = pictures.parent / "corrections.csv"
    table.write_text("file,gender\n")
    rows = "file,gender,picture\nastronaut.jpg,male,\n"
    states: list[tuple[str | None, dict[str, bytes]]] = [  # content, then genders
        (rows, {"astronaut": b'"male" status="reviewed"', "cat": b'status="no_face"'}),
        (f"{rows}rocket.jpg", {"rocket": b'status="no_face"'}),
        (f"{rows}rocket.jpg,female\n", {"rocket": b'"female" status="reviewed"'}),
        (None, {"rocket": b'"female" status="reviewed"'}),
        (rows.replace("male", "female"), {"astronaut": b'"female" status="reviewed"'}),
        (f"{rows}kitten.jpg,male,{cat}\n", {"cat": b'"male" status="reviewed"'}),
    ]
    scans = itertools.count(1)

    def change(_: float) -> None:
        place, scan = divmod(next(scans), 6)  # several scans for each state
        if scan == 5 and place > 0:
            for name, expected in states[place - 1][1].items():
                assert expected in (predictions / f"{name}.xml").read_bytes()
        if scan == 0 and place <= len(states):
            text = states[place - 1][0]
            if text is None:
                table.unlink()
            else:
                table.write_text(text)

    monkeypatch.setattr(time, "sleep", change)
    watch(folders, 6 * len(states) + 6, "--corrections", str(table))
    said = capsys.readouterr().err
    assert said.count("line 3: the gender is ''; it must be") == 1
    assert said.count(f"{table}: cannot be read any more; the corrections that were read") == 1
    assert said.count("'astronaut.jpg': male") == 2
    assert said.count("'rocket.jpg': female") == 1
    assert "'cat.jpg' (the row is that of 'kitten.jpg')" in said


def test_a_picture_that_arrives_under_another_unicode_normalisation_is_corrected(
    folders: tuple[Path, Path], samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, predictions = folders
    table = pictures.parent / "corrections.csv"
    table.write_text("file,gender\ncaf\u00e9.jpg,female\n", "utf-8")
    name = "cafe\u0301"
    scans = itertools.count(1)

    def arrive(_: float) -> None:
        if next(scans) == 2:
            copyfile(samples / "cat.jpg", pictures / f"{name}.jpg")

    monkeypatch.setattr(time, "sleep", arrive)
    watch(folders, 6, "--corrections", str(table))
    assert b'"female" status="reviewed"' in (predictions / f"{name}.xml").read_bytes()


def test_a_watched_folder_gets_the_corrections(
    folders: tuple[Path, Path], samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, predictions = folders
    for name in ("astronaut.jpg", "cat.jpg"):
        copyfile(samples / name, pictures / name)
    corrections = pictures.parent / "corrections.csv"
    corrections.write_text(
        "file,gender,picture\nastronaut.jpg,male,\ncat.jpg,female,sha256:0123456789abcdef\n"
    )
    for _ in range(2):  # a new start keeps them
        watch(folders, 2, "--corrections", str(corrections))
        assert b'gender="male" status="reviewed"' in (predictions / "astronaut.xml").read_bytes()
        assert b'status="no_face"' in (predictions / "cat.xml").read_bytes()
        said = capsys.readouterr().err
        assert said.count("1 correction is not applied, such as that of 'cat.jpg'") == 1
        assert "the picture has changed since" in said

"""Runs that continue an earlier one, which was finished, stopped or killed."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from command_runs import LIKELIER, MANY, CheckXml, Command, Start, contents, ended


def test_resume_keeps_a_finished_run_unchanged(command: Command, folder: Path, out: Path) -> None:
    for name in ("empty.jpg", "text.png"):
        (folder / name).write_bytes(b"text" if name == "text.png" else b"")
    first_table, second_table = out.parent / "1.csv", out.parent / "2.csv"
    assert command("-i", folder, "-o", out, "--resume", "--csv", first_table).returncode == 1
    times = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    again = command("-i", folder, "-o", out, "--resume", "--csv", second_table)
    assert (again.returncode, again.stderr) == (0, "")
    assert "5 of them kept from an earlier run" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == times
    assert first_table.read_bytes() == second_table.read_bytes()


def test_resume_classifies_only_changed_pictures(command: Command, folder: Path, out: Path) -> None:
    command("-i", folder, "-o", out, *LIKELIER)
    (folder / "cat.jpg").write_bytes((folder / "astronaut.jpg").read_bytes())
    (out / "rocket.xml").write_bytes((out / "rocket.xml").read_bytes()[:-4])
    again = command("-i", folder, "-o", out, "--resume", *LIKELIER)
    assert "1 of them kept" in again.stdout
    assert "2 female, 0 male, 0 uncertain, 1 no face" in again.stdout
    assert b'id="cat" file="cat.jpg" gender="female"' in (out / "cat.xml").read_bytes()


def test_resume_classifies_a_picture_whose_xml_lacks_the_probability_of_female(
    command: Command, folder: Path, out: Path
) -> None:
    """As in the files of earlier versions."""
    command("-i", folder, "-o", out)
    complete = (out / "astronaut.xml").read_bytes()
    earlier = re.sub(rb' female="[^"]*"', b"", complete)
    assert earlier != complete
    (out / "astronaut.xml").write_bytes(earlier)
    assert "2 of them kept" in command("-i", folder, "-o", out, "--resume").stdout
    assert (out / "astronaut.xml").read_bytes() == complete


def test_resume_classifies_a_renamed_picture(command: Command, folder: Path, out: Path) -> None:
    command("-i", folder, "-o", out)
    (folder / "cat.jpg").rename(folder / "cat.jpeg")
    assert "2 of them kept" in command("-i", folder, "-o", out, "--resume").stdout
    assert b'file="cat.jpeg"' in (out / "cat.xml").read_bytes()


@pytest.mark.parametrize("option", ["--threshold=0.5", "--detector=none", "--runtime=onnx"])
def test_options_that_change_predictions_keep_no_xml(
    option: str, command: Command, folder: Path, out: Path
) -> None:
    command("-i", folder, "-o", out)
    assert " kept" not in command("-i", folder, "-o", out, "--resume", option).stdout


def test_options_that_do_not_change_predictions_keep_all_xml(
    command: Command, folder: Path, out: Path
) -> None:
    command("-i", folder, "-o", out)
    again = command("-i", folder, "-o", out, "--resume", "--workers", 1, "--recursive")
    assert "3 of them kept" in again.stdout


def test_another_decoder_retries_unreadable_pictures(
    process: Command, folder: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = (folder / "cat.jpg").read_bytes()
    (folder / "cat.jpg").write_bytes(picture[: len(picture) // 2])
    assert process("-i", folder, "-o", out).returncode == 1
    assert "3 of them kept" in process("-i", folder, "-o", out, "--resume").stdout
    installed = tmp_path / "pillow_heif"
    installed.mkdir()
    (installed / "__init__.py").touch()
    (installed / "_version.py").write_text('__version__ = "99.0"\n')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for kept in (2, 3):
        again = process("-i", folder, "-o", out, "--resume")
        assert f"{kept} of them kept" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stopped_run_can_be_resumed(
    number: signal.Signals, code: int, start: Start, process: Command, many_pictures: Path,
    undisturbed: Path, out: Path, check_xml: CheckXml,
) -> None:  # fmt: skip
    tables = ("--csv", out / "t.csv", "--jsonl", out / "t.jsonl")
    running = start("-i", many_pictures, "-o", out, *tables)
    while running.poll() is None and not (out / "004.xml").exists():
        pass
    running.send_signal(number)
    stopped = ended(running)
    assert stopped.returncode == code
    *partial, last = stopped.stderr.splitlines()
    assert "--resume" in last
    for name, line in zip(("t.csv", "t.jsonl"), partial, strict=True):
        assert f": {out / name}: not written, because the run did not finish; " in line
        assert line.endswith(f"the rows so far are in {out / name}.partial")

    kept = contents(out)
    xml_files = {name: data for name, data in kept.items() if name.endswith(".xml")}
    assert 5 <= len(xml_files) < MANY
    assert set(kept) == {*xml_files, "t.csv.partial", "t.jsonl.partial"}
    for name, data in xml_files.items():
        check_xml(data)
        assert data == (undisturbed / name).read_bytes()
    for name in ("t.csv", "t.jsonl"):
        assert (undisturbed / name).read_bytes().startswith(kept[f"{name}.partial"])

    resumed = process("-i", many_pictures, "-o", out, "--resume", *tables)
    assert resumed.returncode == 0
    assert f"{len(xml_files)} of them kept" in resumed.stdout
    assert contents(out) == contents(undisturbed)


@pytest.mark.slow
def test_a_killed_run_leaves_no_incomplete_file(
    start: Start,
    process: Command,
    many_pictures: Path,
    undisturbed: Path,
    out: Path,
    check_xml: CheckXml,
) -> None:
    running = start("-i", many_pictures, "-o", out, "--csv", out / "t.csv")
    while running.poll() is None and not (out / "004.xml").exists():
        pass
    running.kill()
    running.wait()
    assert not (out / "t.csv").exists()
    for path in out.glob("*.xml"):
        check_xml(path.read_bytes())
    tables = ("--csv", out / "t.csv", "--jsonl", out / "t.jsonl")
    assert process("-i", many_pictures, "-o", out, "--resume", *tables).returncode == 0
    assert contents(out) == contents(undisturbed)

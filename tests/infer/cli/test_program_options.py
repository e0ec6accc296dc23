"""The whole command with options: detectors, tables, annotated copies, messages."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from command_runs import LIKELIER, STATUSES, CheckXml, Command, Start, contents, ended, error_line

from image_gender_classifier import __version__


def test_recursive_mirrors_the_folders(command: Command, folder: Path, out: Path) -> None:
    below = folder / "x" / "y"
    below.mkdir(parents=True)
    (folder / "cat.jpg").rename(below / "cat.jpg")
    command("-i", folder, "-o", out)
    assert set(contents(out)) == {"astronaut.xml", "rocket.xml"}
    assert command("-i", folder, "-o", out, "--recursive").returncode == 0
    assert set(contents(out)) == {"astronaut.xml", "rocket.xml", "x/y/cat.xml"}
    assert b'id="cat" file="x/y/cat.jpg"' in (out / "x/y/cat.xml").read_bytes()


@pytest.fixture(autouse=True)
def outside_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)


HINT = "; add --recursive to classify them\n"


def test_pictures_in_subfolders_are_hinted_at(command: Command, folder: Path, out: Path) -> None:
    (folder / "x" / "y").mkdir(parents=True)
    (folder / "x" / "notes.txt").write_text("text")
    assert command("-i", folder, "-o", out).stderr == ""
    for name in ("x/1.jpg", "x/y/2.PNG"):
        shutil.copy(folder / "cat.jpg", folder / name)
    reported = command("-i", folder, "-o", out)
    assert reported.returncode == 0
    assert reported.stdout.startswith("3 pictures: ")
    said = f"2 pictures are in subfolders of {folder}{HINT}"
    assert reported.stderr == f"image-gender-classifier: {said}"
    for option in ("--quiet", "--recursive"):
        assert command("-i", folder, "-o", out, option).stderr == ""


def test_the_hint_inside_make_is_a_variable_of_make(
    command: Command, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    (folder / "x").mkdir()
    (folder / "cat.jpg").rename(folder / "x" / "cat.jpg")
    hint = command("-i", folder, "-o", out).stderr
    assert hint.endswith("; add ARGS=--recursive to classify them\n")


def test_links_that_are_not_followed_are_reported(
    command: Command, folder: Path, out: Path
) -> None:
    (folder / "a.jpg").symlink_to("gone.jpg")
    (folder / "b.jpg").symlink_to("gone.jpg")
    (folder / "linked").symlink_to(folder.parent / "elsewhere")
    (folder.parent / "elsewhere").mkdir()
    broken = f"2 symbolic links, such as '{folder}/a.jpg', lead nowhere; check the targets\n"
    reported = command("-i", folder, "-o", out, "--recursive")
    assert reported.returncode == 0
    assert reported.stderr.splitlines(keepends=True) == [
        f"image-gender-classifier: {broken}",
        f"image-gender-classifier: 1 symbolic link, such as '{folder}/linked', leads to folders, "
        "which are not followed; classify each by itself\n",
    ]
    assert command(folder).stderr.endswith(broken)
    for paths in ((folder,), ("-i", folder, "-o", out)):
        assert command(*paths, "--quiet", "--recursive").stderr == ""


@pytest.mark.parametrize("options", [["-i", "{folder}"], ["--csv", "a.csv", "--csv", "b.csv"]])
def test_an_option_for_a_path_may_be_given_only_once(
    options: list[str], command: Command, folder: Path, out: Path
) -> None:
    again = [option.format(folder=folder) for option in options]
    refused = command("-i", folder, "-o", out, *again)
    assert refused.returncode == 2
    assert "may be given only once" in error_line(refused)


def test_a_folder_with_pictures_only_in_subfolders_is_rejected_with_a_hint(
    command: Command, folder: Path, out: Path
) -> None:
    refused = command("-i", folder.parent, "-o", out)
    assert refused.returncode == 2
    assert "no picture in this folder; 3 pictures are in subfolders of" in error_line(refused)
    assert refused.stderr.endswith(HINT)
    (out / "1.jpg").write_bytes(b"\xff\xd8\xff")  # the output folder is inside the input folder
    assert "; 3 pictures are" in command("-i", folder.parent, "-o", out).stderr


def test_the_output_folder_may_be_inside_the_input_folder_or_the_same(
    command: Command, folder: Path
) -> None:
    (folder / "out").mkdir()
    for target in (folder / "out", folder):
        assert command("-i", folder, "-o", target, "--recursive").returncode == 0
        assert len(list(target.glob("*.xml"))) == 3
    assert not (folder / "out" / "out").exists()


def test_a_prediction_below_the_threshold_is_uncertain(
    command: Command, folder: Path, out: Path, check_xml: CheckXml
) -> None:
    assert command("-i", folder, "-o", out, "--threshold", 1).returncode == 0
    root = check_xml((out / "astronaut.xml").read_bytes())
    assert (root.get("status"), root.get("gender")) == ("uncertain", "unknown")
    assert (root[0].get("gender"), root[0].get("confidence")) == (
        ("unknown", root.get("confidence"))
    )


def test_without_a_detector_each_picture_is_one_face(
    command: Command, folder: Path, out: Path, check_xml: CheckXml
) -> None:
    assert command("-i", folder, "-o", out, "--detector", "none").returncode == 0
    for name in STATUSES:
        root = check_xml((out / f"{name}.xml").read_bytes())
        assert root.get("status") in ("classified", "uncertain")
        assert [face.get("detector") for face in root] == ["none"]


def test_tables_have_one_row_per_picture(command: Command, folder: Path, out: Path) -> None:
    (folder / "broken.png").write_bytes(b"broken")
    tables = ("--csv", out / "t.csv", "--jsonl", out / "t.jsonl")
    assert command("-i", folder, "-o", out, *tables, *LIKELIER).returncode == 1
    with (out / "t.csv").open(newline="", encoding="utf-8") as table:
        rows = {row["id"]: row for row in csv.DictReader(table)}
    objects = [json.loads(line) for line in (out / "t.jsonl").read_text("utf-8").splitlines()]
    assert {name: row["status"] for name, row in rows.items()} == {
        **STATUSES,
        "broken": "unreadable",
    }
    assert [(row["id"], row["status"]) for row in objects] == [
        (row["id"], row["status"]) for row in rows.values()
    ]
    assert float(rows["astronaut"]["confidence"]) == objects[0]["confidence"]
    assert sorted(contents(out)) == [
        "astronaut.xml", "broken.xml", "cat.xml", "rocket.xml", "t.csv", "t.jsonl",
    ]  # fmt: skip


def test_all_faces_are_classified_with_the_option(
    command: Command,
    two_faces: npt.NDArray[np.uint8],
    out: Path,
    tmp_path: Path,
    check_xml: CheckXml,
) -> None:
    (tmp_path / "two").mkdir()
    assert cv2.imwrite(str(tmp_path / "two" / "both.png"), two_faces[..., ::-1])
    assert command("-i", tmp_path / "two", "-o", out, "--all-faces", *LIKELIER).returncode == 0
    first, second = check_xml((out / "both.xml").read_bytes()).findall("face")
    assert first.get("gender") == second.get("gender") == "female"
    assert float(second.get("confidence")) > 0.5


def jpeg_shape(path: Path) -> tuple[int, ...]:
    decoded = cv2.imread(str(path))
    assert decoded is not None
    return tuple(decoded.shape)


def test_annotated_copies_are_written_with_the_option(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "bad.jpg").write_bytes(b"no picture")
    shutil.copy(folder / "cat.jpg", folder / "sub" / "cat.png")
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    assert command("-i", folder, "-o", out, "--recursive", "--annotate", drawn).returncode == 1
    names = {str(path.relative_to(drawn)) for path in drawn.rglob("*") if path.is_file()}
    assert names == {"astronaut.jpg", "cat.jpg", "rocket.jpg", "sub/cat.jpg"}
    assert all(max(jpeg_shape(drawn / name)) == 640 for name in names)


def test_missing_and_outdated_copies_are_drawn_again(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    options = ("-i", folder, "-o", out, "--annotate", drawn, "--resume")
    command(*options)
    whole = {path.name: path.read_bytes() for path in drawn.iterdir()}
    assert "3 of them kept" in command(*options).stdout
    (drawn / "cat.jpg").unlink()
    assert "2 of them kept" in command(*options).stdout
    assert {path.name: path.read_bytes() for path in drawn.iterdir()} == whole
    command("-i", folder, "-o", out, "--threshold", "1")
    assert "kept" not in command(*options, "--threshold", "1").stdout
    assert (drawn / "astronaut.jpg").read_bytes() != whole["astronaut.jpg"]


def test_copies_never_replace_a_picture(command: Command, folder: Path, out: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = command("-i", folder, "-o", out, "--annotate", folder)
    assert said.returncode == 2
    assert "would be overwritten" in said.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (out / "link").symlink_to(folder)
    said = command("-i", out / "link", "-o", out, "--annotate", folder)
    assert said.returncode == 2


def test_quiet_prints_errors_only(command: Command, folder: Path, out: Path) -> None:
    quiet = command("-i", folder, "-o", out, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    (folder / "broken.png").write_bytes(b"broken")
    assert "broken.png" in error_line(command("-i", folder, "-o", out, "--quiet"))
    assert "--threshold" in error_line(
        command("-i", folder, "-o", out, "--quiet", "--threshold", 2)
    )


def test_profile_reports_the_time_of_each_stage(command: Command, folder: Path, out: Path) -> None:
    plain = command("-i", folder, "-o", out)
    predictions = contents(out)
    reported = command("-i", folder, "-o", out, "--profile", "--workers", 2, "--resume")
    assert "compare with the earlier run" in reported.stderr
    reported = command("-i", folder, "-o", out, "--profile", "--workers", 2, "--quiet")
    assert (plain.stderr, reported.returncode, reported.stdout) == ("", 0, "")
    for stage in ("list the pictures", "write the files", "decode it", "find the face", "classify"):
        assert reported.stderr.count(f"  {stage} ") == 1
    assert reported.stderr.count("  total ") == 2
    assert contents(out) == predictions


def test_version(command: Command) -> None:
    reported = command("--version")
    litert = metadata.version("ai-edge-litert")
    expected = f"image-gender-classifier {__version__} (ai-edge-litert {litert})\n"
    assert (reported.returncode, reported.stdout) == (0, expected)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], [], ["-i", "/missing", "-o", "/missing"]]
)
def test_help_version_and_wrong_usage_load_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from image_gender_classifier.cli.program import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "finally: print('loaded:', *sys.modules)"
    )
    run = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    loaded = done.stdout.rpartition("loaded: ")[2].split()
    assert "image_gender_classifier.cli.program" in loaded
    assert not {"numpy", "cv2", "tqdm", "ai_edge_litert", "onnxruntime"}.intersection(loaded)


def test_the_progress_bar_is_for_terminals(start: Start, folder: Path, out: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    run = [sys.executable, "-m", "image_gender_classifier", "-i", str(folder), "-o", str(out)]
    subprocess.run(run, stderr=theirs, stdout=subprocess.DEVNULL, check=True)
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(ours, 4096):
            shown += more
    except OSError:  # a pseudo-terminal raises it when the other end is closed
        pass
    os.close(ours)
    assert b"3/3" in shown and b"picture" in shown
    assert ended(start("-i", folder, "-o", out)).stderr == ""

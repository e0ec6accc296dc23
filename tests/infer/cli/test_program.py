"""The whole command, in this process or, to test signals and imports, in a separate one."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from subprocess import CompletedProcess, Popen
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier import __version__
from image_gender_classifier.cli import program
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.outputs.atomic import partial_path
from image_gender_classifier.workers.supervisor import Outcome

CheckXml = Callable[[bytes], Any]
Command = Callable[..., CompletedProcess[str]]
Start = Callable[..., Popen[str]]

LIKELIER = ("--threshold", 0.5)  # the confidence for this picture is below the default
STATUSES = {"astronaut": "classified", "cat": "no_face", "rocket": "no_face"}
MANY = 150
REPAIRED = "pip install --force-reinstall --no-deps"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def error_line(ended: CompletedProcess[str]) -> str:
    """Returns the error message of a failed command, the only line of its output."""
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1 and ended.stderr.endswith("\n")
    assert ended.stderr.startswith("image-gender-classifier: ")
    return ended.stderr


def ended(process: Popen[str]) -> CompletedProcess[str]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def many_pictures(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder of many different small pictures."""
    folder = tmp_path_factory.mktemp("many_pictures")
    pixels = cv2.imread(str(samples / "astronaut.jpg"))
    assert pixels is not None
    data = cv2.imencode(".jpg", pixels[20:220, 110:340])[1].tobytes()
    for number in range(MANY):
        (folder / f"{number:03}.jpg").write_bytes(data + str(number).encode())
    return folder


@pytest.fixture(scope="module")
def undisturbed(many_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of an uninterrupted run on `many_pictures`."""
    out = tmp_path_factory.mktemp("undisturbed")
    tables = ["--csv", str(out / "t.csv"), "--jsonl", str(out / "t.jsonl")]
    assert program.main(["-i", str(many_pictures), "-o", str(out), "--quiet", *tables]) == 0
    assert len(contents(out)) == MANY + 2
    return out


# --- predictions ----------------------------------------------------------------------------------


def test_each_picture_has_a_valid_xml_file(
    command: Command, folder: Path, out: Path, check_xml: CheckXml
) -> None:
    assert command("-i", folder, "-o", out, *LIKELIER).returncode == 0
    assert set(contents(out)) == {f"{name}.xml" for name in STATUSES}
    for name, status in STATUSES.items():
        root = check_xml((out / f"{name}.xml").read_bytes())
        assert (root.get("id"), root.get("file")) == (name, f"{name}.jpg")
        assert root.get("status") == status
        assert root.get("gender") == ("female" if name == "astronaut" else "unknown")


def test_two_runs_write_the_same_bytes(
    command: Command, process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    command("-i", folder, "-o", out, "--workers", 1)
    again = process("-i", f"{folder}/", "-o", tmp_path / "other", "--workers", 3)
    assert again.returncode == 0
    assert contents(out) == contents(tmp_path / "other")


def test_the_last_line_counts_each_status(command: Command, folder: Path, out: Path) -> None:
    (folder / "broken.png").write_bytes(b"broken")
    (folder / "notes.txt").write_text("text")
    reported = command("-i", folder, "-o", out, *LIKELIER)
    assert re.fullmatch(
        r"4 pictures: 1 female, 0 male, 0 uncertain, 2 no face, 1 unreadable; "
        r"1 other file ignored; \d+\.\d s, \d+\.\d pictures per second\n",
        reported.stdout,
    )
    assert reported.returncode == 1
    assert reported.stderr.startswith("image-gender-classifier: 'broken.png': not a picture")


def test_the_last_line_counts_women_and_men(command: Command, samples: Path, out: Path) -> None:
    counts = "5 pictures: 2 female, 1 male, 0 uncertain, 2 no face, 0 unreadable; 1 other"
    assert command("-i", samples, "-o", out).stdout.startswith(counts)


def test_every_unreadable_picture_has_a_prediction_with_the_reason(
    command: Command, folder: Path, out: Path, check_xml: CheckXml
) -> None:
    whole = (folder / "astronaut.jpg").read_bytes()
    broken = {"empty.jpg": b"", "text.png": b"text", "half.jpg": whole[: len(whole) // 2]}
    for name, data in broken.items():
        (folder / name).write_bytes(data)
    assert command("-i", folder, "-o", out).returncode == 1
    for name in broken:
        root = check_xml((out / f"{Path(name).stem}.xml").read_bytes())
        assert (root.get("status"), root.get("gender")) == ("unreadable", "unknown")
        assert "; " in root.get("message")
    assert len(contents(out)) == 6


def test_pictures_that_differ_only_in_extension_both_have_an_xml_file(
    command: Command, folder: Path, out: Path, check_xml: CheckXml
) -> None:
    (folder / "cat.PNG").write_bytes((folder / "astronaut.jpg").read_bytes())
    assert command("-i", folder, "-o", out, *LIKELIER).returncode == 0
    assert set(contents(out)) == {"astronaut.xml", "cat.PNG.xml", "cat.jpg.xml", "rocket.xml"}
    roots = [check_xml((out / f"cat.{end}.xml").read_bytes()) for end in ("PNG", "jpg")]
    assert [(root.get("id"), root.get("file"), root.get("status")) for root in roots] == [
        ("cat", "cat.PNG", "classified"),
        ("cat", "cat.jpg", "no_face"),
    ]


ODD_NAMES = [
    "a\nb.jpg", "a\tb.jpg", " .jpg", ".jpg", "-i.jpg", "<&\"'>.jpg", "😀.jpg", "a%0Ab.jpg",
    "n" * 251 + ".jpg", "é" * 125 + ".jpg", "a\x01.jpg", os.fsdecode(b"\xff\xfe.jpg"),
]  # fmt: skip


def test_unusual_names(
    command: Command, face_picture: Path, tmp_path: Path, out: Path, check_xml: CheckXml
) -> None:
    (tmp_path / "odd").mkdir()
    for name in ODD_NAMES:
        (tmp_path / "odd" / name).write_bytes(face_picture.read_bytes())
    tables = ("--csv", tmp_path / "t.csv", "--jsonl", tmp_path / "t.jsonl")
    assert command("-i", tmp_path / "odd", "-o", out, *tables).returncode == 0
    files = {check_xml(data).get("file") for data in contents(out).values()}
    assert len(files) == len(contents(out)) == len(ODD_NAMES)
    assert {"a\nb.jpg", "a%01.jpg", "a%250Ab.jpg", "%FF%FE.jpg"} <= files
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as table:
        rows = {row["file"] for row in csv.DictReader(table)}
    assert rows == files - {"-i.jpg"} | {"'-i.jpg"}
    lines = (tmp_path / "t.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["file"] for line in lines} == files
    first = contents(out)
    kept = command("-i", tmp_path / "odd", "-o", out, "--resume")
    assert f"{len(ODD_NAMES)} of them kept" in kept.stdout
    assert contents(out) == first


def test_several_faces_are_all_listed(
    command: Command, two_faces: npt.NDArray[np.uint8], tmp_path: Path, out: Path,
    check_xml: CheckXml,
) -> None:  # fmt: skip
    (tmp_path / "two").mkdir()
    cv2.imwrite(str(tmp_path / "two" / "a.png"), two_faces[..., ::-1])
    assert command("-i", tmp_path / "two", "-o", out, *LIKELIER).returncode == 0
    first, second = check_xml((out / "a.xml").read_bytes())
    assert (first.get("gender"), second.get("gender")) == ("female", None)
    assert {"x", "y", "width", "height", "detector", "score"} == set(second.keys())


def test_an_unreadable_subfolder_is_reported_and_skipped(
    command: Command, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "lost+found").mkdir()
    shutil.copy(folder / "cat.jpg", folder / "lost+found")
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "lost+found":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    for options, counted in (((), "3 pictures"), (("--resume",), "3 of them kept")):
        done = command("-i", folder, "-o", out, "--recursive", *options)
        assert done.returncode == 1
        assert counted in done.stdout and "1 folder could not be read" in done.stdout
        said = f"{str(folder / 'lost+found')!r}: the folder cannot be read (Permission denied)"
        assert said in done.stderr and done.stderr.count("\n") == 1
    assert set(contents(out)) == {"astronaut.xml", "cat.xml", "rocket.xml"}
    assert command("-i", folder, "-o", out).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become someone else")
def test_a_subfolder_of_another_user_is_skipped(folder: Path) -> None:
    (folder / "private").mkdir(mode=0o700)
    folder.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from image_gender_classifier.scan import list_pictures\n"
        "os.chdir(sys.argv[1]); os.setuid(65534)\n"
        "listing = list_pictures(Path(), recursive=True)\n"
        "print(listing.total, listing.unread)"
    )
    words = [sys.executable, "-c", code, str(folder)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert shown == "3 (UnreadableFolder(path='private', reason='Permission denied'),)\n"


def test_by_products_of_a_nas_and_a_mac_are_skipped(
    command: Command, folder: Path, out: Path
) -> None:
    for file in ("@eaDir/cat.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/._cat.jpg", "__MACOSX/b.jpg"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "cat.jpg", folder / file)
    (folder / "._cat.jpg").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    shutil.copy(folder / "cat.jpg", folder / "rocket.jpg.crdownload")
    done = command("-i", folder, "-o", out, "--recursive")
    assert done.returncode == 0 and done.stdout.startswith("3 pictures")
    assert command("-i", folder, "-o", out).stderr == ""  # no hint at subfolders
    assert command("-i", folder, "-o", out, "--recursive", "--hidden").returncode == 1
    assert len(contents(out)) == 8


@pytest.mark.parametrize("option", ["--csv", "--jsonl"])
def test_an_interrupted_run_keeps_the_table_of_the_last_complete_run(
    option: str, command: Command, folder: Path, out: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    table = tmp_path / "table"
    assert command("-i", folder, "-o", out, option, table).returncode == 0
    whole = table.read_bytes()
    add = Totals.add

    def interrupted(totals: Totals, outcome: Outcome) -> None:
        add(totals, outcome)
        if outcome.picture.file == "cat.jpg":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Totals, "add", interrupted)
        stopped = command("-i", folder, "-o", out, option, table)
    assert stopped.returncode == 130
    assert table.read_bytes() == whole
    partial = tmp_path / "table.partial"
    assert f"the rows so far are in {partial}" in stopped.stderr
    assert b"cat.jpg" in partial.read_bytes() and b"rocket.jpg" not in partial.read_bytes()
    assert command("-i", folder, "-o", out, option, table, "--resume").returncode == 0
    assert table.read_bytes() == whole and not partial.exists()


# --- options --------------------------------------------------------------------------------------


def test_recursive_mirrors_the_folders(command: Command, folder: Path, out: Path) -> None:
    below = folder / "x" / "y"
    below.mkdir(parents=True)
    (folder / "cat.jpg").rename(below / "cat.jpg")
    command("-i", folder, "-o", out)
    assert set(contents(out)) == {"astronaut.xml", "rocket.xml"}
    assert command("-i", folder, "-o", out, "--recursive").returncode == 0
    assert set(contents(out)) == {"astronaut.xml", "rocket.xml", "x/y/cat.xml"}
    assert b'id="cat" file="x/y/cat.jpg"' in (out / "x/y/cat.xml").read_bytes()


HINT = "; add --recursive (make classify ... ARGS=--recursive) to classify them\n"


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


# --- resume ---------------------------------------------------------------------------------------


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


# --- wrong usage and models -----------------------------------------------------------------------


def test_an_input_that_is_not_a_folder_is_rejected(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    for arguments in (["-i", folder, "-o", missing], ["-i", missing, "-o", tmp_path]):
        refused = command(*arguments)
        assert refused.returncode == 2
        assert f"{missing}: the folder does not exist" in error_line(refused)
    assert not missing.exists()


def test_a_folder_without_pictures_is_rejected(command: Command, out: Path, folder: Path) -> None:
    (out.parent / "empty").mkdir()
    refused = command("-i", out.parent / "empty", "-o", out)
    assert refused.returncode == 2
    assert "no picture in this folder" in error_line(refused)
    (out.parent / "empty" / "a.jpg.part").write_bytes((folder / "cat.jpg").read_bytes())
    assert "--hidden includes" in error_line(command("-i", out.parent / "empty", "-o", out))


def test_errors_escape_an_undecodable_folder_name(process: Command, out: Path) -> None:
    refused = process("-i", os.fsdecode(b"/missing\xff\n"), "-o", out)
    assert refused.returncode == 2
    assert "/missing" in error_line(refused)


def test_a_picture_is_never_overwritten(command: Command, folder: Path, tmp_path: Path) -> None:
    (folder / "cat.jpg").rename(folder / "cat.xml")  # recognised as a picture by its first bytes
    before = contents(folder)
    (tmp_path / "link").symlink_to(folder)
    for target in (folder, tmp_path / "link"):
        assert command("-i", folder, "-o", target, "--resume").returncode == 0
        after = contents(folder)
        assert before.items() <= after.items()
        written = {"cat.xml.xml", "astronaut.xml", "rocket.xml"}
        assert set(after) - set(before) == written
        assert b'file="cat.xml"' in after["cat.xml.xml"]


def test_a_picture_in_another_folder_is_never_overwritten(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "b.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    (folder / "cat.jpg").rename(folder / "b.xml")
    before = contents(folder)
    # The XML file of in/b.jpg would be in/b.xml.
    assert command("-i", folder, "-o", tmp_path, "--recursive").returncode == 0
    after = contents(folder)
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"b.jpg.xml"}


@pytest.mark.parametrize("option", ["--csv", "--jsonl"])
@pytest.mark.parametrize("name", ["in/cat.jpg", "out/cat.xml", "in/../in/cat.jpg"])
def test_a_table_overwrites_neither_picture_nor_xml_file(
    option: str, name: str, command: Command, folder: Path, out: Path
) -> None:
    before = contents(folder)
    refused = command("-i", folder, "-o", out, option, folder.parent / name)
    assert refused.returncode == 2
    assert "cat." in error_line(refused)
    assert contents(folder) == before


def test_the_rows_of_an_interrupted_run_overwrite_no_picture(
    command: Command, folder: Path, out: Path
) -> None:
    (folder / "cat.jpg").rename(folder / "t.partial")
    before = contents(folder)
    refused = command("-i", folder, "-o", out, "--csv", folder / "t", "--hidden")
    assert refused.returncode == 2
    assert "t.partial: would be overwritten" in error_line(refused)
    assert contents(folder) == before


def test_a_modified_model_is_rejected(
    command: Command, folder: Path, out: Path, models: Path
) -> None:
    for name in ("gender_int8.tflite", "gender_int8.onnx"):
        data = bytearray((models / name).read_bytes())
        data[len(data) // 2] ^= 0xFF
        (models / name).write_bytes(data)
        refused = command("-i", folder, "-o", out, "--model", models / name)
        assert refused.returncode == 2
        assert f"{name}: the file does not match the hash in its manifest" in error_line(refused)
    assert contents(out) == {}


def test_a_model_without_its_manifest_is_rejected(
    command: Command, folder: Path, out: Path, models: Path
) -> None:
    (models / "manifest.json").unlink()
    refused = command("-i", folder, "-o", out, "--model", models / "gender_int8.tflite")
    assert refused.returncode == 2
    assert "manifest.json: the manifest cannot be read" in error_line(refused)


def test_a_manifest_of_another_version_is_rejected(
    command: Command, folder: Path, out: Path, models: Path
) -> None:
    path = models / "manifest.json"
    path.write_text(path.read_text().replace('"manifest_version": 2', '"manifest_version": 99'))
    refused = command("-i", folder, "-o", out, "--model", models / "gender_int8.tflite")
    assert refused.returncode == 2
    assert "manifest version 99 is not supported (expected 2)" in error_line(refused)


@pytest.mark.parametrize(
    ("name", "runtime"), [("gender_int8.onnx", "tflite"), ("gender_int8.tflite", "onnx")]
)
def test_a_model_for_another_runtime_is_rejected(
    name: str, runtime: str, command: Command, folder: Path, out: Path, models: Path
) -> None:
    refused = command("-i", folder, "-o", out, "--model", models / name, "--runtime", runtime)
    assert refused.returncode == 2
    assert "--runtime" in error_line(refused)


def without(folder: Path, *modules: str) -> dict[str, str]:
    """Returns environment variables under which importing the modules fails."""
    for module in modules:
        (folder / f"{module}.py").write_text(f"raise ImportError('no {module} here')\n")
    return {"PYTHONPATH": str(folder)}


def test_without_litert_auto_selects_onnx_runtime_and_warns_once(
    process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    env = without(tmp_path, "ai_edge_litert", "tflite_runtime")
    reported = process("-i", folder, "-o", out, "--workers", 3, *LIKELIER, env=env)
    assert reported.returncode == 0
    assert reported.stderr.count("\n") == 1
    assert "tflite" in reported.stderr and "onnx" in reported.stderr
    assert b'gender="female"' in (out / "astronaut.xml").read_bytes()
    quiet = process("-i", folder, "-o", out, "--quiet", env=env)
    assert (quiet.returncode, quiet.stderr) == (0, "")


@pytest.mark.parametrize("runtime", ["auto", "tflite", "onnx"])
def test_without_a_runtime_the_command_says_what_to_install(
    runtime: str, process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    env = without(tmp_path, "ai_edge_litert", "tflite_runtime", "onnxruntime")
    refused = process("-i", folder, "-o", out, "--runtime", runtime, env=env)
    assert refused.returncode == 2
    packages = {"tflite": "ai-edge-litert", "onnx": "onnxruntime"}
    wanted = packages.values() if runtime == "auto" else (packages[runtime],)
    for package in wanted:
        assert f"pip install {package}" in error_line(refused)


def test_without_opencv_the_command_says_what_to_install(
    process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    refused = process("-i", folder, "-o", out, env=without(tmp_path, "cv2"))
    assert refused.returncode == 2
    assert "no cv2 here" in error_line(refused)
    assert f"{sys.executable} -m {REPAIRED} 'opencv-python-headless<5'" in refused.stderr


def test_without_numpy_the_command_says_what_to_install(
    process: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError('gone', name='numpy')\n")
    refused = process("-i", folder, "-o", out, env={"PYTHONPATH": str(tmp_path)})
    assert refused.returncode == 2
    assert error_line(refused).endswith(f"{REPAIRED} 'numpy<3'\n")


# Like the real one but for what OpenCV 5 lacks, or what is left where two packages shared a folder.
OPENCV_5 = """
import importlib.machinery, sys
sys.path.remove({folder!r})
del sys.modules["cv2"]
import cv2
cv2.__version__ = "5.0.0"
del cv2.CascadeClassifier
"""
WRONG_OPENCV = {"OpenCV 5.0.0": OPENCV_5, "of unknown version": "\n"}


@pytest.mark.parametrize("options", [(), ("--resume",), ("--detector", "none"), ("--watch",)])
@pytest.mark.parametrize("which", WRONG_OPENCV)
def test_an_unusable_opencv_changes_no_file(
    which: str, options: tuple[str, ...], command: Command, process: Command, folder: Path,
    out: Path, tmp_path: Path,
) -> None:  # fmt: skip
    tables = () if "--watch" in options else ("--csv", out / "t.csv", "--jsonl", out / "t.jsonl")
    assert command("-i", folder, "-o", out, *tables).returncode == 0
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}
    (tmp_path / "cv2.py").write_text(WRONG_OPENCV[which].format(folder=str(tmp_path)))
    env = {"PYTHONPATH": str(tmp_path)}
    refused = process("-i", folder, "-o", out, *tables, *options, env=env)
    assert refused.returncode == 2
    assert which in error_line(refused)
    assert "has no CascadeClassifier" in refused.stderr
    assert refused.stderr.endswith(f"{REPAIRED} 'opencv-python-headless<5'\n")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()} == before


# --- output lost ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_output_folder_deleted_during_the_run_ends_it(
    start: Start, many_pictures: Path, undisturbed: Path, out: Path
) -> None:
    running = start("-i", many_pictures, "-o", out)
    while running.poll() is None and not (out / "004.xml").exists():
        pass
    moved = out.rename(out.with_name("moved"))
    lost = ended(running)
    assert lost.returncode == 3
    assert "cannot be written" in error_line(lost)
    # Moved just before a file took its name, the folder keeps that file's part.
    found = contents(moved)
    written = {name: data for name, data in found.items() if not name.startswith(".igc-")}
    assert len(found) - len(written) <= 1
    assert written.items() <= contents(undisturbed).items()
    assert 5 <= len(written) < MANY
    assert not out.exists()


@pytest.mark.slow
def test_a_full_disk_ends_the_run(
    process: Command, many_pictures: Path, undisturbed: Path, small_disk: Path
) -> None:
    lost = process("-i", many_pictures, "-o", small_disk)
    assert lost.returncode == 3
    assert "No space left" in error_line(lost)
    written = contents(small_disk)
    assert 0 < len(written) < MANY
    assert written.items() <= contents(undisturbed).items()


def test_a_table_that_cannot_be_written_is_an_output_error(
    command: Command, folder: Path, out: Path
) -> None:
    partial_path(out / "t.csv").mkdir()
    lost = command("-i", folder, "-o", out, "--csv", out / "t.csv")
    assert lost.returncode == 3
    assert "t.csv: cannot be written" in error_line(lost)


@pytest.mark.parametrize(
    "redirection",
    ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&- --debug", "2>/dev/full", ">/dev/full"],
)
def test_closed_standard_streams_are_ignored(redirection: str, folder: Path, out: Path) -> None:
    (folder / "broken.png").write_bytes(b"broken")
    command = f'"$0" -m image_gender_classifier -i "$1" -o "$2" {redirection}'
    run = ["sh", "-c", command, sys.executable, str(folder), str(out)]
    reported = subprocess.run(run, check=False, capture_output=True, text=True)
    assert reported.returncode == 1
    assert "Traceback" not in reported.stderr and "Exception" not in reported.stderr
    assert len(contents(out)) == 4


def test_the_summary_has_the_rate_of_a_run_without_new_pictures(
    command: Command, folder: Path, out: Path
) -> None:
    for options in ((), ("--resume",)):
        done = command("-i", folder, "-o", out, *options)
        assert done.returncode == 0
        assert re.search(r"; [\d.]+ s, [\d.]+ pictures per second$", done.stdout.rstrip())


def test_an_early_interruption_prints_no_traceback() -> None:
    program = "import signal, image_gender_classifier.__main__; signal.raise_signal(signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


@pytest.mark.slow
def test_ignored_signals_stay_ignored(
    start: Start, many_pictures: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = start("-i", many_pictures, "-o", out)
    finally:
        signal.signal(signal.SIGHUP, before)
    while not (out / "004.xml").exists():
        assert running.poll() is None
        time.sleep(0.001)
    running.send_signal(signal.SIGHUP)
    assert ended(running).returncode == 0
    assert len(list(out.glob("*.xml"))) == MANY


def test_workers_are_waited_for_even_if_sigchld_is_ignored(folder: Path, out: Path) -> None:
    program = (
        "import signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "from image_gender_classifier.cli.program import main; sys.exit(main())"
    )
    run = [sys.executable, "-c", program, "-i", str(folder), "-o", str(out)]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

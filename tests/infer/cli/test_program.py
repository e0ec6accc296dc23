"""The whole command, in this process or, to test signals and imports, in a separate one."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from command_runs import LIKELIER, STATUSES, CheckXml, Command, contents

from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.workers.supervisor import Outcome


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


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc/self/mem")
def test_a_file_that_may_be_a_picture_but_cannot_be_read_is_reported(
    command: Command, folder: Path, out: Path
) -> None:
    (folder / "IMG_1").symlink_to("/proc/self/mem")  # a regular file; reading it gives EIO
    (folder / "IMG_2").symlink_to("IMG_2")
    (folder / "IMG_3").symlink_to("nowhere")
    done = command("-i", folder, "-o", out)
    assert done.returncode == 1
    said = f"{str(folder / 'IMG_1')!r}: the file cannot be read (Input/output error); it is skipped"
    assert said in done.stderr and done.stderr.count("\n") == 1
    assert set(contents(out)) == {"astronaut.xml", "cat.xml", "rocket.xml"}


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
    assert shown == "3 (Unread(path='private', reason='Permission denied', kind='folder'),)\n"


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

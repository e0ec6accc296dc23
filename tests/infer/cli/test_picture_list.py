"""A list of pictures instead of a folder (`--list`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.cli.options import parse_options
from image_gender_classifier.cli.picture_list import list_named_pictures, make_listing, split_list
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.xml import decode_prediction
from image_gender_classifier.scan import list_pictures

Command = Callable[..., subprocess.CompletedProcess[str]]
LBP = ("--detector", "lbp", "--workers", "1")


def status(path: Path) -> tuple[str, str]:
    prediction = decode_prediction(path.read_bytes())
    return prediction.file, prediction.status


def test_a_list_on_standard_input_gives_each_named_file_a_result(folder: Path, out: Path) -> None:
    (folder / "sub").mkdir()
    odd = os.fsdecode(b"sub/new\nline\xff.jpg")
    shutil.copy(folder / "cat.jpg", folder / odd)
    (folder / "notes.txt").write_text("no picture, but named")
    named = ["./cat.jpg", odd, "", "gone.jpg", "notes.txt", "cat.jpg"]
    options = ["-i", str(folder), "-o", str(out), *LBP, "--list", "-", "-0"]
    done = subprocess.run(
        [sys.executable, "-m", "image_gender_classifier", *options],
        input=b"\0".join(map(os.fsencode, named)) + b"\0",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.startswith(b"4 pictures: ")
    found = sorted(status(path) for path in out.rglob("*.xml"))
    assert found == [
        ("cat.jpg", "no_face"),
        ("gone.jpg", "unreadable"),
        ("notes.txt", "unreadable"),
        (odd, "no_face"),
    ]


def test_a_list_of_all_pictures_gives_the_files_of_a_run_over_the_folder(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    for name in ("b-c/1.jpg", "b/1.jpg", "b/c/1.jpg", "cat.png", "b/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "cat.jpg", folder / name)
    found = list(list_pictures(folder, recursive=True).files)
    (tmp_path / "list").write_text("\n".join(reversed(found)))
    tables = []
    for name, options in (("one", ["--recursive"]), ("two", ["--list", tmp_path / "list"])):
        output = tmp_path / name
        output.mkdir()
        table = tmp_path / f"{name}.csv"
        assert command("-i", folder, "-o", output, "--csv", table, *LBP, *options).returncode == 0
        files = {path.relative_to(output): path.read_bytes() for path in output.rglob("*.xml")}
        tables.append((files, table.read_bytes()))
    assert tables[0] == tables[1]
    assert len(tables[0][0]) == len(found)


def test_a_list_never_replaces_the_result_of_another_picture(
    folder: Path, out: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copy(folder / "rocket.jpg", folder / "cat.png")
    names = tmp_path / "list"
    run = ("-i", folder, "-o", out, "--list", names, *LBP)
    names.write_text("cat.jpg\n")
    assert command(*run).returncode == 0
    names.write_text("cat.png\n")
    done = command(*run)
    assert done.returncode == 1
    assert "'cat.png': not written, because cat.xml is that of 'cat.jpg'" in done.stderr
    assert status(out / "cat.xml")[0] == "cat.jpg"
    (folder / "cat.jpg").unlink()
    assert command(*run).returncode == 0
    assert status(out / "cat.xml")[0] == "cat.png"


@pytest.mark.parametrize("path", ["../x.jpg", "a/../../x.jpg", "/etc/hostname", ".", "/"])
def test_a_path_outside_the_folder_is_refused_with_its_line(
    path: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "list").write_text(f"cat.jpg\n{path}\n")
    with pytest.raises(UsageError, match=r"line 2: .* is not in"):
        list_named_pictures(str(tmp_path / "list"), folder, null=False)


def test_absolute_paths_may_go_through_a_link_to_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "list").write_text(f"{folder}/cat.jpg\n{tmp_path}/link//rocket.jpg\n")
    listing = list_named_pictures(str(tmp_path / "list"), tmp_path / "link", null=False)
    assert list(listing.files) == ["cat.jpg", "rocket.jpg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "/list: the list names no picture"),
        ("\r\n\n", "names no picture"),
        ("in/cat.jpg\n", "none of the pictures exists, such as 'in/cat.jpg'; the paths must be"),
        ("cat.jpg\0rocket.jpg\0", "line 1 has a NUL; add -0"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(
    content: str, message: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "list").write_bytes(content.encode())
    with pytest.raises(UsageError, match=message):
        list_named_pictures(str(tmp_path / "list"), folder, null=False)


def test_lists_that_cannot_be_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        list_named_pictures(str(tmp_path / "missing"), folder, null=False)
    with pytest.raises(UsageError, match="cannot be read"):
        list_named_pictures(str(tmp_path), folder, null=False)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        list_named_pictures("-", folder, null=False)


def test_an_endless_list_is_refused(command: Command, folder: Path, out: Path) -> None:
    refused = command("-i", folder, "-o", out, "--list", "/dev/zero")
    assert refused.returncode == 2
    assert "--list /dev/zero: larger than" in refused.stderr


def test_standard_input_that_cannot_be_read(folder: Path, out: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "image_gender_classifier", "-i", folder, "-o", out]
    with (tmp_path / "written").open("wb") as file:
        done = subprocess.run(
            [*map(str, words), "--list", "-"], stdin=file, capture_output=True, check=False
        )
    assert done.returncode == 2
    assert b"--list -: cannot be read (Bad file descriptor)" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_list_on_a_pipe_that_does_not_block_is_read(folder: Path, out: Path) -> None:
    source, sink = os.pipe()
    os.set_blocking(source, False)
    words = [sys.executable, "-m", "image_gender_classifier", "-i", folder, "-o", out, *LBP]
    with subprocess.Popen(
        [*map(str, words), "--list", "-"], stdin=source, stdout=subprocess.PIPE
    ) as running:
        os.close(source)
        time.sleep(0.5)  # it waits for the list
        os.write(sink, b"cat.jpg\n")
        os.close(sink)
        assert running.wait(60) == 0
    assert [path.name for path in out.iterdir()] == ["cat.xml"]


def test_options_that_lists_exclude(folder: Path, out: Path) -> None:
    needed = ["-i", str(folder), "-o", str(out)]
    with pytest.raises(UsageError, match="-0 is for --list"):
        parse_options([*needed, "-0"])
    with pytest.raises(UsageError, match="--list cannot be used with --watch"):
        parse_options([*needed, "--list", "x", "--watch"])


def test_text_lists_may_come_from_windows() -> None:
    assert list(split_list(b"\xef\xbb\xbfa.jpg\r\n\r\nb c.jpg", null=False)) == [
        (1, "a.jpg"),
        (3, "b c.jpg"),
    ]
    assert list(split_list(b"a\r\0b\nc\0", null=True)) == [(1, "a\r"), (2, "b\nc")]


COMPONENTS = st.text(st.sampled_from("ab-. \udcff"), min_size=1, max_size=3).filter(
    lambda name: name.strip(".")
)


@given(st.lists(st.lists(COMPONENTS, min_size=1, max_size=3).map("/".join)))
def test_every_path_is_listed_once(files: list[str]) -> None:
    listed = list(make_listing(files).files)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(files)

"""Faults of the environment: locked, linked, full or deleted folders, and hanging workers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, Popen
from xml.etree import ElementTree

import pytest
from command_runs import contents

pytestmark = pytest.mark.slow

Command = Callable[..., CompletedProcess[str]]
Start = Callable[..., Popen[str]]

PICTURES = 60


@pytest.fixture
def many_pictures(tmp_path: Path, samples: Path) -> Path:
    folder = tmp_path / "many_pictures"
    folder.mkdir()
    data = (samples / "cat.jpg").read_bytes()
    for number in range(PICTURES):
        (folder / f"{number:03}.jpg").write_bytes(data + str(number).encode())
    return folder


def wait_for(path: Path, running: Popen[str]) -> None:
    while running.poll() is None and not path.exists():
        time.sleep(0.002)


def finish(running: Popen[str]) -> tuple[int, str]:
    _, said = running.communicate(timeout=120)
    assert "Traceback" not in said
    return running.returncode, said


def check_resume(command: Command, many_pictures: Path, out: Path) -> None:
    """Checks that a resumed run has the same output as an uninterrupted one."""
    assert command("-i", many_pictures, "-o", out, "--resume").returncode == 0
    whole = out.with_name("whole")
    whole.mkdir()
    assert command("-i", many_pictures, "-o", whole).returncode == 0
    assert contents(out) == contents(whole)


# --- two runs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["-o", "--annotate"])
def test_a_second_run_into_the_same_folder_is_refused(
    option: str, start: Start, command: Command, many_pictures: Path, out: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    first = start("-i", many_pictures, "-o", out)
    wait_for(out / "000.xml", first)
    folders = {"-o": other, option: out}
    second = command("-i", many_pictures, *(word for pair in folders.items() for word in pair))
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1 and f"{out}: another run" in second.stderr
    assert finish(first)[0] == 0
    assert len(contents(out)) == PICTURES and contents(other) == {}


def test_xml_files_and_annotated_copies_in_one_folder(
    command: Command, folder: Path, out: Path
) -> None:
    assert command("-i", folder, "-o", out, "--annotate", out).returncode == 0


# --- symbolic links in the output -----------------------------------------------------------------


def test_nothing_is_written_outside_the_output(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.xml").write_bytes(b"precious")
    (out / "cat.xml").symlink_to(outside / "precious.xml")
    (out / "rocket.xml").symlink_to(outside / "new.xml")
    for _ in range(2):
        assert command("-i", folder, "-o", out, "--resume").returncode == 0
        assert contents(outside) == {"precious.xml": b"precious"}
        assert not any(path.is_symlink() for path in out.iterdir())
    (folder / "sub").mkdir()
    shutil.copy(folder / "cat.jpg", folder / "sub")
    (out / "sub").symlink_to(outside)
    done = command("-i", folder, "-o", out, "--recursive")
    assert done.returncode == 0
    assert "'sub/cat.jpg': the XML file is called 'cat~" in done.stderr
    assert contents(outside) == {"precious.xml": b"precious"}
    kept = command("-i", folder, "-o", out, "--recursive", "--resume")
    assert "4 of them kept" in kept.stdout


def test_a_pipe_in_place_of_an_xml_file_does_not_block(
    command: Command, folder: Path, out: Path
) -> None:
    os.mkfifo(out / "cat.xml")
    assert command("-i", folder, "-o", out, "--resume").returncode == 0
    assert ElementTree.parse(out / "cat.xml").getroot().get("status") == "no_face"


# --- the output is lost ---------------------------------------------------------------------------


def test_a_deleted_output_folder_ends_the_run(
    start: Start, command: Command, many_pictures: Path, out: Path
) -> None:
    running = start("-i", many_pictures, "-o", out)
    wait_for(out / "003.xml", running)
    out.rename(out.with_name("gone"))
    shutil.rmtree(out.with_name("gone"))
    code, said = finish(running)
    assert code == 3 and "cannot be written" in said and said.count("\n") == 1
    assert not out.exists()
    out.mkdir()
    check_resume(command, many_pictures, out)


def test_a_disconnected_output_drive_ends_a_recursive_run(
    start: Start, command: Command, many_pictures: Path, small_disk: Path
) -> None:
    """Only the mount point is left, on another disk; nothing may be written there."""
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    nested = many_pictures.with_name("nested")
    nested.mkdir()
    many_pictures.rename(nested / "sub")
    running = start("-i", nested, "-o", small_disk, "--recursive")
    wait_for(small_disk / "sub" / "003.xml", running)
    subprocess.run(["umount", "--lazy", str(small_disk)], check=True)
    try:
        code, said = finish(running)
        assert code == 3 and "unmounted" in said and said.count("\n") == 1
        assert list(small_disk.iterdir()) == []
    finally:  # the fixture unmounts it
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(small_disk)], check=True)
    assert command("-i", nested, "-o", small_disk, "--recursive").returncode == 0
    assert len(contents(small_disk / "sub")) == PICTURES


def test_a_removed_subfolder_costs_only_its_files(
    start: Start, many_pictures: Path, out: Path
) -> None:
    nested = many_pictures.with_name("nested")
    nested.mkdir()
    many_pictures.rename(nested / "sub")
    running = start("-i", nested, "-o", out, "--recursive")
    wait_for(out / "sub" / "003.xml", running)
    (out / "sub").rename(out.with_name("gone"))
    assert finish(running) == (0, "")
    assert not any(path.is_file() for path in out.iterdir())
    # The file that was being written stays behind in the removed folder.
    written = {*contents(out / "sub"), *contents(out.with_name("gone"))}
    assert sum(name.endswith(".xml") for name in written) == PICTURES


def test_an_output_made_read_only_ends_the_run(
    start: Start, command: Command, many_pictures: Path, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    running = start("-i", many_pictures, "-o", small_disk)
    wait_for(small_disk / "003.xml", running)
    # Refused as long as a file is open for writing.
    while running.poll() is None and subprocess.call(
        ["mount", "-o", "remount,ro", str(small_disk)], stderr=subprocess.DEVNULL
    ):
        pass
    code, said = finish(running)
    assert code == 3 and "Read-only file system" in said and said.count("\n") == 1
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    check_resume(command, many_pictures, small_disk)


def test_a_run_on_a_full_disk_can_be_resumed_after_freeing_space(
    command: Command, many_pictures: Path, small_disk: Path
) -> None:
    full = command("-i", many_pictures, "-o", small_disk, "--csv", small_disk / "all.csv")
    assert full.returncode == 3 and "No space left" in full.stderr
    for name, data in contents(small_disk).items():
        assert data.endswith(b"\n"), name
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    (small_disk / "all.csv").unlink(missing_ok=True)
    check_resume(command, many_pictures, small_disk)


# --- the input is lost ----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--resume",)])
def test_an_input_folder_that_goes_away_is_no_fault_of_its_pictures(
    start: Start, command: Command, many_pictures: Path, out: Path, options: tuple[str, ...]
) -> None:
    running = start("-i", many_pictures, "-o", out, *options)
    wait_for(out / "000.xml", running)
    away = many_pictures.rename(many_pictures.parent / "away")
    code, said = finish(running)
    assert code == 4 and "does not exist or was unmounted" in said
    assert not any(b'"unreadable"' in path.read_bytes() for path in out.iterdir())
    away.rename(many_pictures)
    assert command("-i", many_pictures, "-o", out, "--resume").returncode == 0
    assert len(contents(out)) == PICTURES


def test_a_picture_deleted_or_changed_during_the_run_affects_no_other(
    start: Start, command: Command, many_pictures: Path, out: Path
) -> None:
    last, changed = (
        many_pictures / f"{PICTURES - 1:03}.jpg",
        many_pictures / f"{PICTURES - 2:03}.jpg",
    )
    kept = last.read_bytes()
    running = start("-i", many_pictures, "-o", out)
    wait_for(out / "000.xml", running)
    last.unlink()
    changed.write_bytes(b"no picture")
    code, said = finish(running)
    assert code == 1 and "no such file" in said and "not a picture" in said
    assert len(contents(out)) == PICTURES
    for picture in (last, changed):
        picture.write_bytes(kept)
    check_resume(command, many_pictures, out)


def test_a_moved_input_folder_loses_no_earlier_prediction(
    start: Start, command: Command, many_pictures: Path, out: Path
) -> None:
    command("-i", many_pictures, "-o", out)
    before = contents(out)
    running = start("-i", many_pictures, "-o", out)
    many_pictures.rename(many_pictures.with_name("unplugged"))
    code, said = finish(running)
    assert code in (1, 2)  # 2: before the folder was listed
    assert "Traceback" not in said
    assert contents(out) == before


# --- signals --------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_run_with_a_hanging_worker_stops_at_once(
    number: signal.Signals,
    code: int,
    start: Start,
    command: Command,
    many_pictures: Path,
    out: Path,
) -> None:
    running = start("-i", many_pictures, "-o", out)
    wait_for(out / "003.xml", running)
    tasks = Path(f"/proc/{running.pid}/task").glob("*/children")
    (worker,) = [int(pid) for task in tasks for pid in task.read_text().split()]
    os.kill(worker, signal.SIGSTOP)  # a stopped process simulates one that hangs
    time.sleep(0.2)
    running.send_signal(number)
    stopped, said = finish(running)
    assert stopped == code and "--resume" in said and said.count("\n") == 1
    assert not Path(f"/proc/{worker}").exists()
    check_resume(command, many_pictures, out)

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.atomic import (
    create_partial,
    make_partial_path,
    open_regular_file,
    remove_leftovers,
    write_atomic,
)
from image_gender_classifier.outputs.csv import open_output
from image_gender_classifier.system import locking
from image_gender_classifier.system.locking import try_lock


def test_a_file_is_written_and_replaced_atomically(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    write_atomic(path, b"first, longer")
    write_atomic(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_has_the_default_mode(tmp_path: Path) -> None:
    write_atomic(tmp_path / "ours", b"")
    (tmp_path / "usual").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_the_partial_file_is_in_the_same_folder_and_has_a_short_name(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    assert make_partial_path(tmp_path).parent == tmp_path
    assert make_partial_path(tmp_path) != make_partial_path(tmp_path)
    write_atomic(path, b"data")
    assert path.read_bytes() == b"data"


@pytest.mark.parametrize("obstacle", ["missing folder", "file for a folder", "folder for a file"])
def test_a_file_that_cannot_be_written_is_an_output_error(obstacle: str, tmp_path: Path) -> None:
    path = tmp_path / "out" / "a.xml"
    if obstacle == "file for a folder":
        (tmp_path / "out").write_bytes(b"")
    if obstacle == "folder for a file":
        path.mkdir(parents=True)
    with pytest.raises(OutputError, match=r"a\.xml: cannot be written \("):
        write_atomic(path, b"data")
    assert [p.name for p in tmp_path.rglob(".igc*")] == []


def test_a_read_only_disk_is_an_output_error(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OutputError, match="Read-only"):
        write_atomic(small_disk / "a.xml", b"data")


def test_a_full_disk_keeps_the_old_file_and_no_partial_file(small_disk: Path) -> None:
    path = small_disk / "a.xml"
    write_atomic(path, b"old")
    with pytest.raises(OutputError, match="No space left"):
        write_atomic(path, bytes(200_000))
    assert path.read_bytes() == b"old"
    assert list(small_disk.iterdir()) == [path]


def test_an_interrupted_write_leaves_no_partial_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a.xml", b"data")
    assert list(tmp_path.iterdir()) == []


def test_only_leftovers_of_killed_runs_are_removed(tmp_path: Path) -> None:
    kept = [tmp_path / name for name in (".igc-notes", "igc-1-0.partial", "a.partial", "a.xml")]
    table = open_output(tmp_path / "table.csv")
    (own,) = tmp_path.iterdir()
    # One of an earlier version, named after a process ID in use, and one of another run.
    left = [tmp_path / f".igc-{owner}-00000000.partial" for owner in (os.getpid(), "0123abcd")]
    for path in (*kept, *left):
        path.touch()
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([*kept, own])
    table.close()


def test_the_open_table_of_another_container_is_not_removed(tmp_path: Path) -> None:
    """Process IDs differ or repeat between containers; only the lock is visible to all."""
    code = (
        "import sys; from pathlib import Path\n"
        "from image_gender_classifier.outputs.csv import open_output\n"
        "table = open_output(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "other.csv")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (live,) = tmp_path.iterdir()
        # Named after a process ID that does not exist here.
        live = live.rename(tmp_path / ".igc-4194303-00000000.partial")
        own = open_output(tmp_path / "own.csv")
        assert live.exists()
        own.close()
        other.communicate(b"")
    assert {path.name for path in tmp_path.iterdir()} == {live.name, "own.csv"}
    remove_leftovers(tmp_path)  # the other process has ended
    assert [path.name for path in tmp_path.iterdir()] == ["own.csv"]


def test_partial_files_are_unique_to_a_process(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from image_gender_classifier.outputs.atomic import make_partial_path\n"
        "print(make_partial_path(Path(sys.argv[1])))"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    other = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    own = make_partial_path(tmp_path)
    assert own.parent == Path(other).parent
    # Process IDs may be equal in different containers.
    assert f"-{os.getpid()}-" not in own.name and str(own) != other


@pytest.mark.parametrize(("age", "kept"), [(60, True), (3 * 86_400, False)])
def test_without_locks_only_old_partial_files_are_removed(
    age: int, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "try_lock", lambda _: "unsupported")
    path = tmp_path / ".igc-0123abcd-00000000.partial"
    path.touch()
    os.utime(path, (time.time() - age,) * 2)
    remove_leftovers(tmp_path)
    assert path.exists() == kept


def test_a_file_is_locked_until_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, locks = os.replace, []

    def renaming(source: Path, target: Path) -> None:
        with source.open("rb") as file:
            locks.append(try_lock(file.fileno()))
        rename(source, target)

    monkeypatch.setattr(os, "replace", renaming)
    write_atomic(tmp_path / "a.xml", b"data")
    open_output(tmp_path / "t.csv").close()
    assert locks == ["taken", "taken"]


def test_no_name_of_a_picture_makes_its_file_replace_the_part_of_a_table(tmp_path: Path) -> None:
    """The names of these two files have the same CRC-32."""
    table = open_output(tmp_path / "results.csv")
    write_atomic(tmp_path / "ONQtO8Y.xml", b"data")
    table.close()
    assert (tmp_path / "results.csv").read_bytes().startswith(b"id,file,")
    assert (tmp_path / "ONQtO8Y.xml").read_bytes() == b"data"


def test_a_symbolic_link_at_the_partial_path_is_not_followed(tmp_path: Path) -> None:
    elsewhere, partial = tmp_path / "elsewhere", make_partial_path(tmp_path)
    elsewhere.write_bytes(b"precious")
    partial.symlink_to(elsewhere)
    os.close(create_partial(partial))
    assert elsewhere.read_bytes() == b"precious" and not partial.is_symlink()


def test_a_symbolic_link_at_the_path_is_replaced(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    path = tmp_path / "a.xml"
    path.symlink_to(elsewhere)
    write_atomic(path, b"data")
    assert elsewhere.read_bytes() == b"precious"
    assert not path.is_symlink() and path.read_bytes() == b"data"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_only_regular_files_are_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    if kind == "link":
        (tmp_path / "b.xml").touch()
        path.symlink_to("b.xml")
    elif kind == "pipe":
        os.mkfifo(path)  # reading it would block forever
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(OSError):
        open_regular_file(path)


def test_a_leftover_that_cannot_be_removed_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of another user in a folder with the sticky bit."""
    foreign, own = (tmp_path / f".igc-{owner}-00000000.partial" for owner in ("0123abcd", "abcd"))
    for path in (foreign, own):
        path.touch()
    unlink = os.unlink

    def refuse(path: Path, **rest: int) -> None:
        if Path(path) == foreign:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        unlink(path, **rest)

    monkeypatch.setattr(os, "unlink", refuse)
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [foreign]


def test_a_partial_file_is_created_again_when_it_is_taken_for_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run may find it between its creation and its lock."""
    lock_file, removals = locking.try_lock, [2]

    def lock_late(file: int) -> str:
        if removals[0]:
            removals[0] -= 1
            with monkeypatch.context() as patch:
                patch.setattr(locking, "try_lock", lock_file)
                remove_leftovers(tmp_path)
        return lock_file(file)

    monkeypatch.setattr(locking, "try_lock", lock_late)
    write_atomic(tmp_path / "a.xml", b"data")
    assert (tmp_path / "a.xml").read_bytes() == b"data"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.xml"]


def test_a_partial_file_that_another_run_has_locked_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_file = locking.try_lock
    others: list[BinaryIO] = []

    def lock_second(file: int) -> str:
        if not others:  # the other run has opened and locked it, and is about to remove it
            (path,) = tmp_path.iterdir()
            others.append(path.open("rb"))
            assert lock_file(others[0].fileno()) == "acquired"
            answer = lock_file(file)
            others[0].close()
            path.unlink()
            return answer
        return lock_file(file)

    monkeypatch.setattr(locking, "try_lock", lock_second)
    write_atomic(tmp_path / "a.xml", b"data")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.xml"]


def test_a_leftover_is_locked_until_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that its writer, if there is one after all, notices."""
    left = tmp_path / ".igc-0123abcd-00000000.partial"
    left.touch()
    unlink, locks = os.unlink, []

    def check_lock(path: Path, **rest: int) -> None:
        with Path(path).open("rb") as file:
            locks.append(try_lock(file.fileno()))
        unlink(path, **rest)

    monkeypatch.setattr(os, "unlink", check_lock)
    remove_leftovers(tmp_path)
    assert locks == ["taken"] and list(tmp_path.iterdir()) == []


def test_a_leftover_is_locked_for_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS locks no file that is open for reading only."""
    lock_file = locking.try_lock

    def lock_as_nfs(file: int) -> str:
        mode = fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE
        return "unsupported" if mode == os.O_RDONLY else lock_file(file)

    monkeypatch.setattr(locking, "try_lock", lock_as_nfs)
    (tmp_path / ".igc-0123abcd-00000000.partial").touch()
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_leftover_that_may_only_be_read_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".igc-0123abcd-00000000.partial"
    left.touch(0o444)
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []

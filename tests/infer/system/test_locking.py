"""Two runs never write into one folder at the same time."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from image_gender_classifier.errors import UsageError
from image_gender_classifier.system import locking

HOLDER = """
import sys, time
from pathlib import Path
from image_gender_classifier.system.locking import lock_folders
with lock_folders([Path(sys.argv[1])]):
    print("held", flush=True)
    time.sleep(600)
"""


def is_free(folder: Path) -> bool:
    try:
        with locking.lock_folders([folder]):
            return True
    except UsageError:
        return False


def test_a_folder_is_held_until_its_holder_is_killed(tmp_path: Path) -> None:
    holder = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(holder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        with pytest.raises(UsageError, match="another run"), locking.lock_folders([tmp_path]):
            pass
        process.kill()
        process.wait()
        with locking.lock_folders([tmp_path]):
            assert list(tmp_path.iterdir()) == []


def test_the_same_folder_twice_and_under_two_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    folders = [tmp_path / "real", tmp_path / "link", tmp_path / "real"]
    with locking.lock_folders(folders):
        assert not is_free(tmp_path / "link")
    assert is_free(tmp_path / "real")


def test_a_folder_that_cannot_be_opened_does_not_keep_the_others_from_being_locked(
    tmp_path: Path,
) -> None:
    with locking.lock_folders([tmp_path / "missing", tmp_path]):
        assert not is_free(tmp_path)
    assert is_free(tmp_path)


@pytest.mark.parametrize("number", [errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_without_locks_a_run_goes_on(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "as on some network file systems")

    monkeypatch.setattr(fcntl, "flock", refuse)
    done = []
    with locking.lock_folders([tmp_path]), locking.lock_folders([tmp_path]):
        done.append("both runs")
    assert done == ["both runs"]


def test_shards_share_a_folder_but_not_with_a_run_over_all_pictures(tmp_path: Path) -> None:
    with locking.lock_folders([tmp_path], "1-of-2"):
        with locking.lock_folders([tmp_path], "2-of-2"):
            assert not is_free(tmp_path)
        with pytest.raises(UsageError, match="another run is writing shard 1-of-2"):
            locking.lock_folders([tmp_path], "1-of-2").__enter__()
        assert not is_free(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with locking.lock_folders([tmp_path]), pytest.raises(UsageError, match="another run"):
        locking.lock_folders([tmp_path], "1-of-2").__enter__()


def test_the_lock_file_of_a_killed_shard_is_used_again(tmp_path: Path) -> None:
    program = HOLDER.replace("[Path(sys.argv[1])]", "[Path(sys.argv[1])], '1-of-2'")
    holder = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(holder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        process.kill()
        process.wait()
    assert len(list(tmp_path.iterdir())) == 1
    with locking.lock_folders([tmp_path], "1-of-2"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_file_of_another_process_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / ".igc-test.lock"
    first, second = (locking.hold_lock_file(path, "taken") for _ in range(2))
    first.__enter__()
    path.unlink()
    second.__enter__()
    first.__exit__(None, None, None)
    assert path.exists()
    with pytest.raises(UsageError, match="taken"), locking.hold_lock_file(path, "taken"):
        pass
    second.__exit__(None, None, None)
    assert not path.exists()


def test_many_processes_never_hold_a_lock_file_at_the_same_time(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from image_gender_classifier.errors import UsageError\n"
        "from image_gender_classifier.system.locking import hold_lock_file\n"
        "folder, end = Path(sys.argv[1]), time.monotonic() + 1.5\n"
        "while time.monotonic() < end:\n"
        "    try:\n"
        "        with hold_lock_file(folder / 'lock', 'taken'):\n"
        "            os.close(os.open(folder / 'held', os.O_CREAT | os.O_EXCL))\n"
        "            (folder / 'held').unlink()\n"
        "    except UsageError:\n"
        "        pass\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate()[1].decode() for process in processes]
    assert errors == [""] * 4

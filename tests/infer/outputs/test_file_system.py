"""Detection of accepted names, on real file systems and on a simulated one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import disks
import pytest

from image_gender_classifier.outputs.file_system import detect_name_rules
from image_gender_classifier.outputs.naming import LINUX_RULES, NameRules


def test_an_ordinary_folder_has_ordinary_rules_and_stays_empty(tmp_path: Path) -> None:
    assert detect_name_rules([tmp_path]) == LINUX_RULES
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("disk", "rules"),
    [
        ("double", NameRules(folds=True, windows=True, utf8=True)),
        ("exfat", NameRules(folds=True, windows=True, utf8=True)),
        ("ntfs", NameRules(windows=True, utf8=True)),
        ("ntfs without case", NameRules(folds=True, windows=True, utf8=True)),
    ],
    indirect=["disk"],
)
def test_rules_of_other_file_systems_are_detected(
    disk: Path, rules: NameRules, tmp_path: Path
) -> None:
    assert detect_name_rules([disk]) == rules
    assert list(disk.iterdir()) == []
    assert detect_name_rules([tmp_path, disk]) == rules


@pytest.mark.parametrize(("reported", "longest"), [(143, 143), (1530, 255), (-1, 255), (12, 64)])
def test_the_maximum_length_is_that_of_the_file_system(
    reported: int, longest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pathconf(path: Path, name: str) -> int:
        assert (path, name) == (tmp_path, "PC_NAME_MAX")
        return reported

    monkeypatch.setattr(os, "pathconf", pathconf)
    assert detect_name_rules([tmp_path]) == NameRules(longest)


def test_an_unknown_maximum_length_is_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pathconf(*_: object) -> int:
        raise OSError(errno.EINVAL, "unknown")

    monkeypatch.setattr(os, "pathconf", pathconf)
    assert detect_name_rules([tmp_path]) == LINUX_RULES


def test_a_folder_that_accepts_no_file_has_ordinary_rules(tmp_path: Path) -> None:
    assert detect_name_rules([tmp_path / "missing"]) == LINUX_RULES


def test_the_simulated_disk_has_the_rules_of_exfat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = disks.act_like_exfat(tmp_path, monkeypatch)
    (disk / "Kim").write_bytes(b"")
    assert (disk / "kim").exists() and [path.name for path in disk.iterdir()] == ["Kim"]
    for name in ("a:b", "con.xml", "a?", "\udcff"):
        with pytest.raises(OSError):
            os.close(os.open(disk / name, os.O_WRONLY | os.O_CREAT))


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ESTALE, errno.EMFILE])
def test_a_failing_disk_is_not_taken_for_one_that_rejects_names(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would give XML files other names in this run than in the next."""
    open_file = os.open

    def fail(path: Path, *others: int) -> int:
        if any(character in Path(path).name for character in ":\udcff"):
            raise OSError(number, os.strerror(number))
        return open_file(path, *others)

    monkeypatch.setattr(os, "open", fail)
    assert detect_name_rules([tmp_path]) == LINUX_RULES


def test_a_locale_without_a_probed_character_ends_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from image_gender_classifier.outputs.file_system import detect_name_rules\n"
        "print(sys.getfilesystemencoding(), detect_name_rules([Path(sys.argv[1])]))"
    )
    env = {
        **os.environ,
        **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    }
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    encoding, _, rules = done.stdout.strip().partition(" ")
    assert encoding != "utf-8" and rules == str(LINUX_RULES)
    assert list(tmp_path.iterdir()) == []

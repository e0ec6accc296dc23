"""Shards: parts of one run, in processes that know nothing of each other (`--shard`)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_runs import contents
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.cli.options import parse_options
from image_gender_classifier.cli.shards import Shard, name_part, read_shard
from image_gender_classifier.errors import UsageError

PARTS = 3
NAMES = ("a.jpg", "a.png", "b.jpg", "sub/a.jpg", "sub/b.JPG", "sub/b.jpg", "sub/c/d.jpg", "e.jpg")
ODD = os.fsdecode(b"sub/\xff.jpg")


def run(*options: object, shard: str | None = None) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "SHARD"}
    if shard is not None:
        environment["SHARD"] = shard
    return subprocess.Popen(
        [sys.executable, "-m", "image_gender_classifier", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.fixture(scope="module")
def pictures(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of which some share the name of their XML file or are unreadable."""
    root = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate((*NAMES, ODD)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 4 == 3:
            path.write_bytes(b"\xff\xd8\xff damaged")
        else:
            shutil.copy(samples / ("cat.jpg", "astronaut.jpg", "rocket.jpg")[number % 3], path)
    return root


class Runs:
    """The results of one run and of its parts, which ran at the same time."""

    def __init__(self, pictures: Path, root: Path) -> None:
        self.whole, self.parts = root / "whole", root / "parts"
        for folder in (self.whole, self.parts):
            (folder / "xml").mkdir(parents=True)
        common = ["-i", pictures, "--recursive", "--workers", 1, "--detector", "lbp"]
        one = run(*common, "-o", self.whole / "xml", "--csv", self.whole / "all.csv")
        each = [
            run(*common, "-o", self.parts / "xml", "--csv", self.parts / "all.csv", shard=shard)
            for shard in (f"{number}/{PARTS}" for number in range(1, PARTS + 1))
        ]
        self.said = [process.communicate(timeout=300) for process in (one, *each)]
        self.codes = [process.returncode for process in (one, *each)]


@pytest.fixture(scope="module")
def runs(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(pictures, tmp_path_factory.mktemp("runs"))


def test_the_parts_together_write_exactly_the_files_of_one_run(runs: Runs) -> None:
    assert set(runs.codes) <= {0, 1}, runs.said
    whole = contents(runs.whole / "xml")
    assert len(whole) == len(NAMES) + 1
    assert contents(runs.parts / "xml") == whole


def test_each_part_writes_a_table_of_its_own(runs: Runs) -> None:
    tables = sorted(runs.parts.glob("*.csv"))
    assert [path.name for path in tables] == [f"all-{n}-of-{PARTS}.csv" for n in (1, 2, 3)]
    lines = [path.read_bytes().splitlines() for path in tables]
    whole = (runs.whole / "all.csv").read_bytes().splitlines()
    assert {part[0] for part in lines} == {whole[0]}
    assert sorted(line for part in lines for line in part[1:]) == sorted(whole[1:])


def test_each_part_reports_which_it_is(runs: Runs) -> None:
    counts = []
    for number, (_, said) in enumerate(runs.said[1:], 1):
        (line,) = (line for line in said.splitlines() if "shard" in line)
        before, _, after = line.partition(f"shard {number}-of-{PARTS}: ")
        assert before.endswith(": ")
        counts.append(int(after.split()[0]))
    assert sum(counts) == len(NAMES) + 1
    assert all(counts), "the pictures of this test are in one part"


def test_a_part_resumes_and_an_empty_part_succeeds(pictures: Path, runs: Runs) -> None:
    common = ["-i", pictures, "-o", runs.parts / "xml", "--recursive", "--detector", "lbp"]
    resumed = run(*common, "--resume", "--shard", f"1/{PARTS}")
    out, _ = resumed.communicate(timeout=300)
    assert resumed.returncode == 0
    assert "kept from an earlier run" in out
    empty = next(
        f"{number}/50"
        for number in range(1, 51)
        if not any(map(Shard(number, 50).has, (*NAMES, ODD)))
    )
    process = run(*common, "--shard", empty)
    out, _ = process.communicate(timeout=300)
    assert (process.returncode, out.partition(":")[0]) == (0, "0 pictures")
    assert contents(runs.parts / "xml") == contents(runs.whole / "xml")


def test_a_killed_part_leaves_a_lock_that_hinders_nobody(tmp_path: Path, samples: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    shutil.copy(samples / "cat.jpg", folder)
    process = run("-i", folder, "-o", out, "--shard", "1/1")
    assert process.stderr is not None
    for line in process.stderr:
        if "shard 1-of-1" in line:  # the workers still load
            process.send_signal(signal.SIGKILL)
            break
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    again = run("-i", folder, "-o", out, "--shard", "1/1", "--quiet")
    assert again.communicate(timeout=300) == ("", "")
    assert again.returncode == 0
    assert [path.name for path in out.iterdir()] == ["cat.xml"]


@given(st.binary(min_size=1, max_size=40), st.integers(1, 100))
def test_every_picture_is_in_exactly_one_part(name: bytes, count: int) -> None:
    file = os.fsdecode(name)
    assert sum(Shard(number, count).has(file) for number in range(1, count + 1)) == 1


def test_parts_never_change_between_versions() -> None:
    """A job array may run on machines with different versions, and be resumed after an upgrade."""
    found = {file: [n for n in range(1, 8) if Shard(n, 7).has(file)] for file in (*NAMES, ODD)}
    assert found == STABLE


STABLE = {
    "a.jpg": [5],
    "a.png": [2],
    "b.jpg": [3],
    "sub/a.jpg": [2],
    "sub/b.JPG": [6],
    "sub/b.jpg": [6],
    "sub/c/d.jpg": [7],
    "e.jpg": [7],
    ODD: [2],
}


def test_parts_are_about_equal() -> None:
    names = [f"IMG_{number:05}.jpg" for number in range(8000)]
    sizes = [sum(map(Shard(number, 8).has, names)) for number in range(1, 9)]
    assert all(880 < size < 1120 for size in sizes), sizes


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1 /4"])
def test_a_wrong_part_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="give K/N with K from 1 to N"):
        read_shard(text)
    monkeypatch.setenv("SHARD", text)
    if text:
        with pytest.raises(UsageError, match="environment variable SHARD"):
            read_shard(None)
    else:
        assert read_shard(None) is None


def test_the_option_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARD", "2/5")
    assert read_shard(None) == Shard(2, 5)
    assert read_shard("1/3") == Shard(1, 3)


def test_watching_takes_all_pictures(folder: Path, out: Path) -> None:
    with pytest.raises(UsageError, match="--shard cannot be used with --watch"):
        parse_options(["-i", str(folder), "-o", str(out), "--watch", "--shard", "1/2"])


def test_names_of_tables_sort_by_part() -> None:
    assert name_part(Path("x/all.csv"), Shard(3, 16)) == Path("x/all-03-of-16.csv")
    assert name_part(Path("all"), Shard(1, 2)) == Path("all-1-of-2")

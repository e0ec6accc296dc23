"""Workers for the cores that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from image_gender_classifier.system.cores import count_cores


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def cores_in(folder: Path, groups: str, files: dict[str, str]) -> int:
    """Asks for the cores of a process in control groups with these files."""
    (folder / "own").write_text(groups)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return count_cores(str(folder), str(folder / "own"))


def test_cores_are_those_that_may_be_used() -> None:
    assert 1 <= count_cores() <= (os.cpu_count() or 1)


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("50000 100000\n", 1),
        ("1600000 100000\n", 8),
        ("max 100000\n", 8),
        ("", 8),
        ("nonsense", 8),
        ("200000 0\n", 8),
    ],
)
def test_the_quota_of_a_container(limit: str, expected: int, tmp_path: Path) -> None:
    assert cores_in(tmp_path, "0::/\n", {"cpu.max": limit}) == expected


@pytest.mark.usefixtures("eight")
def test_the_quota_of_a_service_and_of_the_groups_around_it(tmp_path: Path) -> None:
    own = "0::/system.slice/watch.service\n"
    inner = {"system.slice/watch.service/cpu.max": "300000 100000"}
    assert cores_in(tmp_path, own, inner) == 3
    assert cores_in(tmp_path, own, {"system.slice/cpu.max": "200000 100000"}) == 2


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "expected"), [("250000", 3), ("-1", 8), ("1000", 1)])
def test_the_quota_in_version_1(mount: str, quota: str, expected: int, tmp_path: Path) -> None:
    files = {f"{mount}/cpu.cfs_quota_us": quota, f"{mount}/cpu.cfs_period_us": "100000\n"}
    # In a container, the path is that of the host.
    own = f"12:memory:/docker/1f\n4:{mount}:/docker/1f\n0::/\n"
    assert cores_in(tmp_path, own, files) == expected


@pytest.mark.usefixtures("eight")
def test_without_control_groups_all_cores_count(tmp_path: Path) -> None:
    assert count_cores(str(tmp_path), str(tmp_path / "missing")) == 8
    (tmp_path / "own").write_text("\n:::\nx\n")
    assert count_cores(str(tmp_path), str(tmp_path / "own")) == 8

"""A small part of the stress test, and its hostile files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from benchmarks.figures import Figure
from PIL import Image
from soak import hostile, kills, low_memory
from soak.__main__ import met
from soak.bases import Base, bases
from soak.layout import numbers, pieces
from soak.mutations import cases
from soak.setting import Setting

pytestmark = pytest.mark.slow


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path, tmp_path / "kept", seed=1, scale=0.02)


def unmet(figures: list[Figure]) -> list[Figure]:
    """Targets that were missed, other than times: the machine may be busy."""
    return [figure for figure in figures if not met(figure) and figure.unit != "s"]


def test_hostile_files(setting: Setting) -> None:
    figures = list(hostile.measure(setting))
    assert figures[0].value == 400
    assert unmet(figures) == []


def test_killed_runs(setting: Setting) -> None:
    figures = list(kills.measure(setting))
    assert figures[0].value == 4
    assert unmet(figures) == []


def test_low_memory(setting: Setting) -> None:
    assert unmet(list(low_memory.measure(setting))) == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("The worker process crashed (SIGSEGV)", "crash"),
        ("no result within 60 s; no XML file is written", "hang"),
        ("internal error (ValueError: b)", "internal error"),
        ("corrupt or unsupported JPEG", None),
    ],
)
def test_faults_are_recognised(message: str, fault: str | None) -> None:
    assert hostile.fault_of(message) == fault


def test_the_same_seed_gives_the_same_files() -> None:
    first = list(cases(7, 300))
    assert first == list(cases(7, 300))
    assert [case.data for case in first] != [case.data for case in cases(8, 300)]
    assert len({case.name for case in first}) == 300


@pytest.mark.parametrize("base", bases(), ids=lambda base: base.form)
def test_originals_are_whole_and_their_layout_is_known(base: Base) -> None:
    with Image.open(io.BytesIO(base.data)) as picture:
        picture.load()
        assert picture.format == base.form
    starts = pieces(base)
    assert starts[0] == 0 and len(starts) >= 3
    assert all(number.at < len(base.data) for number in numbers(base))

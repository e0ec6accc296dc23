"""A small part of the soak, and that what it is made of is what it should be."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.figures import Figure
from PIL import Image
from soak import hostile, kills, low_memory
from soak.__main__ import main, met
from soak.bases import Base, bases
from soak.layout import numbers, pieces
from soak.mutations import cases
from soak.setting import Setting, linked

pytestmark = pytest.mark.slow


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path, tmp_path / "kept", seed=1, scale=0.02)


def unmet(figures: list[Figure]) -> list[Figure]:
    return [figure for figure in figures if not met(figure)]


def test_hostile_files(setting: Setting) -> None:
    figures = list(hostile.measure(setting))
    assert figures[0].value == 400
    # A busy machine is no fault of the code: how long it takes counts in the soak only.
    assert [figure for figure in unmet(figures) if "slow" not in figure.name] == []


def test_hostile_files_for_some_seconds(setting: Setting) -> None:
    some = replace(setting, scale=0.001, seconds=2.0)
    figures = list(hostile.measure(some))
    assert figures[0].value is not None
    assert figures[0].value > 20  # more than one seed's
    assert [figure for figure in unmet(figures) if "slow" not in figure.name] == []


def test_killed_runs(setting: Setting) -> None:
    figures = list(kills.measure(setting))
    assert figures[0].value == 4
    assert unmet(figures) == []


def test_low_memory(setting: Setting) -> None:
    assert unmet(list(low_memory.measure(setting))) == []


def test_a_part_is_chosen_and_its_table_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["--parts", "memory", "--scale", "0.001", "--keep", str(tmp_path / "kept")]
    assert main(options) == 0
    assert "low memory: resident" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_files() -> None:
    first = list(cases(7, 300))
    assert first == list(cases(7, 300))
    assert [case.data for case in first] != [case.data for case in cases(8, 300)]
    assert len({case.name for case in first}) == 300


@pytest.mark.parametrize("base", bases(), ids=lambda base: base.form)
def test_the_originals_are_whole_and_their_layout_is_known(base: Base) -> None:
    with Image.open(io.BytesIO(base.data)) as picture:
        picture.load()
        assert picture.format == base.form
    starts = pieces(base)
    assert starts[0] == 0 and len(starts) >= 3
    assert all(number.at < len(base.data) for number in numbers(base))


def test_folders_of_links(tmp_path: Path) -> None:
    folder = linked([(".a", b"a"), (".b", b"b")], 5, tmp_path / "links")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["000000.a", "000001.b", "000002.a", "000003.b", "000004.a"]
    assert (folder / "000004.a").read_bytes() == b"a"

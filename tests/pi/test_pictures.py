"""Choosing the pictures that all systems judge."""

from __future__ import annotations

from pathlib import Path

from pi.pictures import choose, spread


def test_half_of_the_portraits_are_womens(tmp_path: Path) -> None:
    for gender in ("female", "male"):
        folder = tmp_path / "portraits" / "lfw" / gender
        folder.mkdir(parents=True)
        for number in range(20):
            (folder / f"{gender}_{number:02}.jpg").touch()
    chosen = choose(tmp_path, tmp_path, 10)
    assert [path.parent.name for path in chosen] == ["female"] * 5 + ["male"] * 5
    assert len(set(chosen)) == 10
    assert len(choose(tmp_path, tmp_path, 5)) == 5


def test_without_portraits_there_are_the_samples(tmp_path: Path, samples: Path) -> None:
    assert [path.name for path in choose(tmp_path, samples, 50)] == [
        "aksel_andersson.jpg", "astronaut.jpg", "cat.jpg", "mona_lisa.jpg", "rocket.jpg",
    ]  # fmt: skip


def test_a_spread_covers_the_list() -> None:
    paths = [Path(str(number)) for number in range(10)]
    assert spread(paths, 3) == [Path("0"), Path("3"), Path("6")]
    assert spread(paths, 20) == paths

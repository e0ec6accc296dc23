"""The folders of pictures that benchmarks need."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pictures import find_portraits, linked


def test_women_and_men_come_in_turn(tmp_path: Path) -> None:
    for gender, names in (("female", "cab"), ("male", "de")):
        folder = tmp_path / "portraits" / "lfw" / gender
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.jpg").touch()
    portraits, real = find_portraits(tmp_path, tmp_path)
    assert [path.stem for path in portraits] == ["a", "d", "b", "e"]
    assert real


def test_without_portraits_the_sample_serves(tmp_path: Path, face_picture: Path) -> None:
    portraits, real = find_portraits(tmp_path / "absent", face_picture.parents[2])
    assert portraits == (face_picture,)
    assert not real


def test_a_folder_of_any_size_is_made_of_a_few_pictures(tmp_path: Path) -> None:
    sources = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for source in sources:
        source.write_bytes(source.name.encode())
    folder = linked(sources, 5, tmp_path / "many")
    held = [path.read_bytes() for path in sorted(folder.iterdir())]
    assert held == [b"a.jpg", b"b.jpg", b"a.jpg", b"b.jpg", b"a.jpg"]
    assert sources[0].stat().st_nlink == 4

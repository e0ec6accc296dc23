"""The parts of the output: written whole, resumed from, never deleted."""

# ruff: noqa: E402  pyarrow is optional

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

parquet = pytest.importorskip("pyarrow.parquet")
fs = pytest.importorskip("pyarrow.fs")

from image_gender_classifier.cluster import parts, rows, storage
from image_gender_classifier.cluster.keys import make_keys, sort_keys
from image_gender_classifier.cluster.storage import Place, open_place
from image_gender_classifier.errors import OutputError
from image_gender_classifier.results import Prediction

OLD, NEW, NEWEST = (f"2026010{day}T000000-aaaaaaaa" for day in (1, 2, 3))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    opened = open_place(str(tmp_path / "out"))
    storage.create_folder(opened)
    return opened


def write(place: Place, run: str, number: int, *pairs: tuple[str, str]) -> Path:
    """Writes a part with rows of paths and their `run`, or `failed`."""
    made = [make_row(path, run_hash) for path, run_hash in pairs]
    name = parts.name_part(run, number)
    parts.write_part(place, name, rows.make_table(made))
    return Path(place.path) / name


def make_row(path: str, run_hash: str) -> rows.Row:
    picture = rows.Picture(path.encode(), path.encode(), 1)
    if run_hash == "failed":
        return rows.make_failed_row(picture, "a timeout")
    return rows.make_row(picture, Prediction(path, "no_face", "unknown", run=run_hash))


def remove_outdated_rows(place: Place, *kept: tuple[str, str], present: str = NEWEST) -> int:
    """Removes them, as at the end of a run that has kept the rows of these paths and `run`."""
    keys, paths = make_keys(kept), make_keys((path, "") for path, _ in kept)
    return parts.remove_outdated_rows(
        place, present, parts.Kept(sort_keys([keys]), sort_keys([paths]))
    )


def stored(place: Place) -> list[tuple[str, str]]:
    """Returns paths and `run` of all rows, as programs see them that read the folder."""
    table = parquet.read_table(place.path)
    return sorted((row["path"], row["run"]) for row in table.to_pylist())


def test_the_latest_row_of_each_picture_stays(place: Place) -> None:
    write(place, OLD, 0, ("a", "1"), ("b", "1"), ("c", "failed"))
    emptied = write(place, OLD, 1, ("d", "1"))
    write(place, NEW, 0, ("b", "2"), ("c", "2"), ("d", "2"))
    write(place, NEWEST, 0, ("b", "3"), ("e", "3"))
    assert remove_outdated_rows(place) == 4
    assert stored(place) == [("a", "1"), ("b", "3"), ("c", "2"), ("d", "2"), ("e", "3")]
    assert emptied.exists(), "no part is deleted"
    assert parquet.read_table(emptied).num_rows == 0
    assert remove_outdated_rows(place) == 0


def test_all_of_many_parts_are_read(place: Place) -> None:
    paths = [f"{number}" for number in range(50)]
    for number, path in enumerate(paths):
        write(place, OLD, number, (path, "1"))
    assert sorted(parts.find_keys(place)) == sorted(make_keys((path, "1") for path in paths))
    write(place, NEW, 0, *((path, "2") for path in paths))
    assert remove_outdated_rows(place) == 50
    assert stored(place) == sorted((path, "2") for path in paths)


def test_rows_of_one_run_never_replace_each_other(place: Place) -> None:
    """An input may have two pictures of the same path; one row for each."""
    write(place, NEW, 0, ("a", "1"), ("a", "1"))
    write(place, NEW, 1, ("a", "2"))
    assert remove_outdated_rows(place) == 0


def test_kept_rows_stay_beside_new_ones_of_the_same_path(place: Place) -> None:
    """An input may have two pictures of the same path, of which one has changed."""
    write(place, OLD, 0, ("a", "1"), ("a", "0"))
    write(place, NEW, 0, ("a", "2"))
    assert remove_outdated_rows(place, ("a", "1"), present=NEW) == 1
    assert stored(place) == [("a", "1"), ("a", "2")]


def test_a_kept_row_replaces_that_of_an_interrupted_run_with_other_options(place: Place) -> None:
    write(place, OLD, 0, ("a", "1"), ("b", "1"), ("c", "failed"))
    write(place, NEW, 0, ("a", "2"), ("b", "failed"), ("d", "2"))
    assert remove_outdated_rows(place, ("a", "1"), ("b", "1")) == 2
    assert stored(place) == [("a", "1"), ("b", "1"), ("c", ""), ("d", "2")]
    write(place, NEWEST, 0, ("c", "1"))
    assert remove_outdated_rows(place, ("a", "1"), ("b", "1")) == 1
    assert stored(place) == [("a", "1"), ("b", "1"), ("c", "1"), ("d", "2")]


def test_keys_are_those_of_rows_that_have_not_failed(place: Place) -> None:
    write(place, OLD, 0, ("a", "1"), ("b", "failed"))
    write(place, NEW, 0, ("c", "2"))
    assert sorted(parts.find_keys(place)) == sorted(make_keys([("a", "1"), ("c", "2")]))
    empty = open_place(str(Path(place.path) / "none"))
    assert len(parts.find_keys(empty)) == 0


def test_names_of_runs_sort_by_time_and_differ() -> None:
    names = [parts.make_run_name() for _ in range(3)]
    assert len(set(names)) == 3
    assert parts.name_part(OLD, 0) < parts.name_part(OLD, 11) < parts.name_part(NEW, 0)


def test_incomplete_files_of_killed_tasks_are_no_parts_and_are_removed(place: Place) -> None:
    write(place, OLD, 0, ("a", "1"))
    left = Path(place.path) / "_partial-0123"
    left.write_bytes(b"half a file")
    assert len(parts.list_parts(place)) == 1
    assert stored(place) == [("a", "1")]
    storage.remove_partial_files(place)
    assert not left.exists()
    assert stored(place) == [("a", "1")]


@pytest.mark.parametrize("size", [0, 4, 700])
def test_a_damaged_part_is_reported_and_nothing_is_changed(size: int, place: Place) -> None:
    damaged = write(place, OLD, 0, ("a", "1"), ("b", "1"))
    damaged.write_bytes(damaged.read_bytes()[:size])
    write(place, NEW, 0, ("b", "2"))
    before = {path: path.read_bytes() for path in Path(place.path).iterdir()}
    with pytest.raises(OutputError, match=rf"{damaged.name}: cannot be read .* move the file"):
        parts.find_keys(place)
    with pytest.raises(OutputError, match="nothing was changed"):
        remove_outdated_rows(place)
    assert {path: path.read_bytes() for path in Path(place.path).iterdir()} == before


def test_a_foreign_file_is_reported(place: Place) -> None:
    (Path(place.path) / "other.parquet").write_bytes(b"")
    with pytest.raises(OutputError, match=r"other.parquet: not a file of this program"):
        parts.find_keys(place)


class LossyFiles:
    """A local file system that stores only the first bytes of what is written."""

    def __init__(self, fault: BaseException | None) -> None:
        self._files = fs.LocalFileSystem()
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    def open_output_stream(self, path: str) -> Any:
        return LossyStream(self._files.open_output_stream(path), self._fault)


class LossyStream:
    def __init__(self, stream: Any, fault: BaseException | None) -> None:
        self._stream, self._fault = stream, fault

    def __enter__(self) -> LossyStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()  # as pyarrow does, which completes an object

    def write(self, data: bytes) -> None:
        self._stream.write(data[:100])
        if self._fault is not None:
            raise self._fault


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(None, OutputError), (OSError(28, "No space left"), OutputError), (SystemExit(), SystemExit)],
)
def test_a_part_that_is_not_stored_whole_replaces_nothing(
    fault: BaseException | None, raised: type[BaseException], place: Place
) -> None:
    """Ray ends a task by SystemExit, after which an object store keeps what was written."""
    part = write(place, OLD, 0, ("a", "1"))
    lossy = place._replace(files=LossyFiles(fault))
    with pytest.raises(raised):
        write(lossy, OLD, 0, ("a", "2"))
    with pytest.raises(raised):
        write(lossy, OLD, 1, ("b", "1"))
    assert [path.name for path in Path(place.path).iterdir()] == [part.name]
    assert stored(place) == [("a", "1")]


class ForbiddenFiles:
    """A file system that raises the exceptions of a library, as those of fsspec do."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: object, **__: object) -> None:
            raise HttpError("403, Forbidden")

        return refuse


class HttpError(Exception):
    """As that of gcsfs."""


@pytest.mark.parametrize(
    ("act", "done"),
    [
        (storage.create_folder, "written"),
        (storage.list_names, "read"),
        (parts.find_keys, "read"),
        (lambda place: parts.has_part(place, "a.parquet"), "read"),
        (lambda place: parts.write_part(place, "a.parquet", rows.make_table([])), "written"),
    ],
    ids=range(5),
)
def test_exceptions_of_other_libraries_are_output_errors(
    act: Callable[[Place], object], done: str, place: Place
) -> None:
    with pytest.raises(OutputError, match=rf"out: cannot be {done} \(403, Forbidden\)"):
        act(place._replace(files=ForbiddenFiles()))


def test_a_part_that_may_not_be_read_is_an_output_error(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = write(place, OLD, 0, ("a", "1"))
    files = LossyFiles(None)
    monkeypatch.setattr(files, "open_input_file", ForbiddenFiles().open_input_file, raising=False)
    with pytest.raises(OutputError, match=rf"{part.name}: cannot be read \(403, Forbidden\)"):
        parts.find_keys(place._replace(files=files))


def test_an_output_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    place = open_place(str(tmp_path / "file" / "out"))
    with pytest.raises(OutputError, match="cannot be written"):
        storage.create_folder(place)
    with pytest.raises(OutputError, match="cannot be written"):
        parts.write_part(place, "part.parquet", rows.make_table([]))

"""Reading pictures from files and tar archives: a row for each, whatever happens."""

# ruff: noqa: E402  pyarrow is optional

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")
fs = pytest.importorskip("pyarrow.fs")
parquet = pytest.importorskip("pyarrow.parquet")

from image_gender_classifier.cluster import archives, files, inputs, tables
from image_gender_classifier.cluster.formats import Format
from image_gender_classifier.cluster.rows import Picture
from image_gender_classifier.cluster.storage import Place, list_files, open_place
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.files import EMPTY, NO_SUCH_FILE
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS, Limits
from image_gender_classifier.settings import MAX_BYTES

LIMITS = DEFAULT_LIMITS


def read_folder(folder: Path) -> dict[bytes, Picture]:
    place = open_place(str(folder))
    found = files.read_files(place, LIMITS, files.find_pictures(place).paths)
    return {picture.file: picture for picture in found}


def test_every_picture_of_a_folder_is_read(samples: Path, tmp_path: Path) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    odd = os.fsdecode(b"sub/\xff.jpg")
    for name in ("a.jpg", odd, "no-extension", ".trash-1/x.jpg", "._a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(cat)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    found = read_folder(tmp_path)
    whole = {name for name, picture in found.items() if picture.bytes == cat}
    assert whole == {b"a.jpg", b"sub/\xff.jpg", b"no-extension"}
    assert found[b"empty.jpg"].problem == EMPTY
    assert "bytes" in (found[b"large.jpg"].problem or "")
    assert found[b"large.jpg"].bytes is None
    assert len(found) == 5
    assert found[b"a.jpg"].path == os.fsencode(tmp_path / "a.jpg")
    assert found[b"a.jpg"].size == len(cat)


def test_a_file_that_has_gone_is_reported(samples: Path, tmp_path: Path) -> None:
    place = open_place(str(tmp_path))
    (fault,) = files.read_files(place, LIMITS, [os.fsencode(tmp_path / "gone.jpg")])
    assert fault.fault is not None, "its folder may not be mounted on this node"
    shutil.copy(samples / "cat.jpg", tmp_path)
    (gone,) = files.read_files(place, LIMITS, [os.fsencode(tmp_path / "gone.jpg")])
    assert gone.problem == NO_SUCH_FILE


def test_a_subfolder_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read all folders")
    (tmp_path / "closed").mkdir(mode=0)
    assert "closed" in files.find_pictures(open_place(str(tmp_path))).unread[0]


def test_objects_are_pictures_by_name_or_first_bytes(samples: Path, tmp_path: Path) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    root = tmp_path / "photos"
    for name in ("a.jpg", "sub/b", "notes.txt", "sub/@eaDir/c.jpg", "large.jpg"):
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_bytes(b"notes" if name == "notes.txt" else cat)
    (root / "large.jpg").write_bytes(cat + b"x")
    store = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    place = Place("s3://photos", store, "photos", "s3://")
    paths = files.find_pictures(place).paths
    found = {each.file: each for each in files.read_files(place, Limits(len(cat)), paths)}
    assert set(found) == {b"a.jpg", b"sub/b", b"large.jpg"}
    assert found[b"sub/b"].bytes == cat
    assert found[b"sub/b"].path == b"s3://photos/sub/b"
    assert "more than the limit" in (found[b"large.jpg"].problem or "")
    (gone,) = files.read_files(place, LIMITS, [b"photos/gone.jpg"])
    assert gone.problem == NO_SUCH_FILE
    (folder,) = files.read_files(place, LIMITS, [b"photos"])
    assert folder.fault is not None, "a fault of the environment is tried again"


def make_table(path: Path, names: list[str], data: list[bytes | None]) -> None:
    parquet.write_table(pa.table({"name": names, "data": pa.array(data, pa.binary())}), path)


def test_pictures_in_parquet_files(samples: Path, tmp_path: Path) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    make_table(tmp_path / "1.parquet", [f"{number}.jpg" for number in range(40)], [cat] * 40)
    make_table(tmp_path / "2.parquet", ["none", "empty"], [None, b""])
    (tmp_path / "3.parquet").write_bytes(b"no table")
    parquet.write_table(pa.table({"name": ["x"]}), tmp_path / "4.parquet")
    place = open_place(str(tmp_path))
    paths = tables.find_tables(place).paths
    found = list(tables.read_tables(place, ("name", "data"), paths))
    assert [each.file for each in found[:40]] == [b"%d.jpg" % number for number in range(40)]
    assert all(each.bytes == cat and each.size == len(cat) for each in found[:40])
    assert [each.bytes for each in found[40:42]] == [None, b""]
    assert [each.file for each in found[42:]] == [b"3.parquet", b"4.parquet"]
    assert "the Parquet file is damaged" in (found[42].problem or "")
    assert "has no column 'data'" in (found[43].problem or "")


def test_numbers_are_names_of_pictures_too(samples: Path, tmp_path: Path) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    parquet.write_table(pa.table({"name": [7], "data": [cat]}), tmp_path / "1.parquet")
    place = open_place(str(tmp_path))
    paths = tables.find_tables(place).paths
    (found,) = tables.read_tables(place, ("name", "data"), paths)
    assert (found.file, found.bytes) == (b"7", cat)


def test_a_column_without_bytes_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"path": ["a"], "bytes": ["b"]}), tmp_path / "1.parquet")
    place = open_place(str(tmp_path))
    with pytest.raises(UsageError, match="column 'bytes' has string, not the bytes of files"):
        inputs.find_input(place, "parquet", LIMITS, 64, ("path", "bytes"))


def test_a_table_damaged_in_its_middle_costs_only_what_it_lost(
    samples: Path, tmp_path: Path
) -> None:
    path = tmp_path / "1.parquet"
    cat = (samples / "cat.jpg").read_bytes()
    names = [f"{number}.jpg" for number in range(32)]
    table = pa.table({"name": names, "data": [cat] * 32})
    parquet.write_table(table, path, row_group_size=16, use_dictionary=False)
    stored = path.read_bytes()
    damaged = len(stored) * 3 // 4
    path.write_bytes(stored[:damaged] + bytes(len(cat)) + stored[damaged + len(cat) :])
    place = open_place(str(tmp_path))
    *whole, last = tables.read_tables(place, ("name", "data"), [os.fsencode(path)])
    assert [picture.bytes for picture in whole] == [cat] * 16
    assert last.file == b"1.parquet"
    assert last.problem is not None and last.problem.startswith("the Parquet file is damaged")


@pytest.mark.parametrize(
    ("target", "form"),
    [("in", "pictures"), ("in/out", "parquet"), ("tables.parquet/out", None)],
)
def test_an_output_that_becomes_input_is_refused(
    target: str, form: Format | None, tmp_path: Path
) -> None:
    def place(path: str) -> Place:
        return open_place(str(tmp_path / path))

    with pytest.raises(UsageError, match="give another folder"):
        inputs.check_output(place(target.partition("/")[0]), place(target), form)
    inputs.check_output(place("in"), place("in/out"), "pictures")
    inputs.check_output(place("in"), place("in-out"), "parquet")


def test_missing_columns_are_refused(tmp_path: Path) -> None:
    make_table(tmp_path / "1.parquet", ["a"], [b""])
    place = open_place(str(tmp_path / "1.parquet"))
    found = inputs.find_input(place, None, LIMITS, 64, ("name", "data"))
    assert len(found.paths) == 1
    with pytest.raises(
        UsageError, match="no column 'path'; its columns are name, data; see --path-column"
    ):
        inputs.find_input(place, None, LIMITS, 64, ("path", "data"))


@pytest.mark.parametrize("form", ["pictures", "tar", "parquet"])
def test_an_input_without_files_is_refused(form: Format, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="check --input and --format"):
        inputs.find_input(open_place(str(tmp_path)), form, LIMITS, 64, ("path", "bytes"))


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def read_tar(path: Path) -> list[Picture]:
    place = open_place(str(path.parent))
    return list(archives.read_archives(place, LIMITS, archives.find_archives(place).paths))


@pytest.mark.parametrize(
    ("name", "mode"), [("1.tar", "w"), ("1.tar.gz", "w:gz"), ("1.tgz", "w:gz")]
)
def test_pictures_in_an_archive(name: str, mode: str, samples: Path, tmp_path: Path) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    files = {
        "0.jpg": cat,
        "0.json": b"{}",
        "0.cls": b"1",
        "sub/1.jpg": cat,
        "2": cat,
        "._0.jpg": cat,
    }
    make_tar(tmp_path / name, files, mode)
    found = read_tar(tmp_path / name)
    assert [picture.file.decode() for picture in found] == [
        f"{name}/0.jpg", f"{name}/sub/1.jpg", f"{name}/2"
    ]  # fmt: skip
    assert {picture.bytes for picture in found} == {cat}


def test_links_in_an_archive_are_reported(samples: Path, tmp_path: Path) -> None:
    """Their content is elsewhere in the archive, or not in it."""
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(samples / "cat.jpg", folder / "a.jpg")
    os.link(folder / "a.jpg", folder / "b.jpg")
    (folder / "c.jpg").symlink_to("a.jpg")
    (folder / "._d.jpg").symlink_to("a.jpg")
    (folder / "notes").symlink_to("a.txt")
    with tarfile.open(tmp_path / "1.tar", "w") as archive:
        for name in ("a.jpg", "b.jpg", "c.jpg", "._d.jpg", "notes"):
            archive.add(folder / name, name)
    picture, hard, symbolic = read_tar(tmp_path / "1.tar")
    assert picture.bytes
    assert (hard.file, hard.bytes) == (b"1.tar/b.jpg", None)
    assert "--hard-dereference" in (hard.problem or "")
    assert (symbolic.file, symbolic.bytes) == (b"1.tar/c.jpg", None)
    assert "--dereference" in (symbolic.problem or "")


def test_local_names_need_not_be_text(samples: Path, tmp_path: Path) -> None:
    """Arrow's own local file system accepts UTF-8 only."""
    cat = (samples / "cat.jpg").read_bytes()
    for folder in ("tars", "tables", "single"):
        (tmp_path / folder).mkdir()
    make_tar(tmp_path / os.fsdecode(b"tars/\xff.tar"), {"0.jpg": cat})
    (found,) = read_tar(tmp_path / "tars" / "any")
    assert (found.file, found.bytes) == (b"\xff.tar/0.jpg", cat)
    make_table(tmp_path / "1.parquet", ["0.jpg"], [cat])
    (tmp_path / "1.parquet").rename(tmp_path / os.fsdecode(b"tables/\xff.parquet"))
    place = open_place(str(tmp_path / "tables"))
    (found,) = tables.read_tables(place, ("name", "data"), tables.find_tables(place).paths)
    assert found.bytes == cat
    single = tmp_path / os.fsdecode(b"single/\xff.jpg")
    single.write_bytes(cat)
    (found,) = read_folder(single).values()
    assert (found.file, found.bytes) == (b"\xff.jpg", cat)


def test_an_archive_in_an_object_store_takes_few_requests(samples: Path, tmp_path: Path) -> None:
    """Each read of a remote file is a request, and tarfile reads 10 KB at a time."""
    requests = []

    class Stored(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            requests.append(size)
            return super().read(size) or b""

    class Handler(fs.FSSpecHandler):  # type: ignore[name-defined, misc]
        def open_input_stream(self, path: str) -> object:
            return pa.PythonFile(Stored(path), mode="r")

    fsspec = pytest.importorskip("fsspec", reason="comes with Ray")
    store = fs.PyFileSystem(Handler(fsspec.filesystem("file")))
    cat = (samples / "cat.jpg").read_bytes()
    path = make_tar(tmp_path / "1.tar", {f"{number}.jpg": cat for number in range(40)})
    place = Place("s3://photos", store, str(tmp_path), "s3://")
    found = list(archives.read_archives(place, LIMITS, [os.fsencode(path)]))
    assert [picture.bytes for picture in found] == [cat] * 40
    assert len(requests) <= 3


def test_file_systems_of_fsspec(samples: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="comes with Ray")
    cat = (samples / "cat.jpg").read_bytes()
    memory = fsspec.filesystem("memory")
    for name, data in {"a.jpg": cat, "sub/ü b": cat, "notes.txt": b"notes"}.items():
        memory.pipe(f"/readers/{name}", data)
    place = open_place("memory://readers")
    found = list(files.read_files(place, LIMITS, files.find_pictures(place).paths))
    assert [picture.path.decode() for picture in found] == [
        "memory://readers/a.jpg", "memory://readers/sub/ü b"
    ]  # fmt: skip
    assert {picture.bytes for picture in found} == {cat}


def test_errors_of_any_library_are_faults_of_the_environment() -> None:
    class LibraryError(Exception):
        pass

    class Handler(fs.FSSpecHandler):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            pass

        def fail(self, *_: object) -> None:
            raise LibraryError("no credentials")

        get_file_info = get_file_info_selector = open_input_file = open_input_stream = fail

    place = Place("s3://photos", fs.PyFileSystem(Handler()), "photos", "s3://")
    for read in (
        files.read_files(place, LIMITS, [b"photos/a.jpg"]),
        archives.read_archives(place, LIMITS, [b"photos/1.tar"]),
        tables.read_tables(place, ("path", "bytes"), [b"photos/1.parquet"]),
    ):
        (found,) = read
        assert found.problem is None
        assert "cannot be read at present (no credentials)" in (found.fault or "")
    with pytest.raises(UsageError, match=r"s3://photos: cannot be read \(no credentials\)"):
        list_files(place)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-25_000], lambda data: data[:30_000], lambda _: b"x" * 600]
)
def test_a_damaged_archive_costs_only_what_it_lost(
    damage: Callable[[bytes], bytes], samples: Path, tmp_path: Path
) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    path = make_tar(tmp_path / "1.tar", {"0.jpg": cat, "1.jpg": cat + bytes(20_000)})
    path.write_bytes(damage(path.read_bytes()))
    *whole, last = read_tar(path)
    assert all(picture.bytes is not None for picture in whole)
    assert (last.file, last.path) == (b"1.tar", os.fsencode(path))
    assert last.problem is not None and last.problem.startswith("the archive is damaged")


def test_blocks_are_limited_in_number_and_bytes() -> None:
    large = bytes(inputs.BYTES_PER_BLOCK // 2 + 1)

    def read(paths: Iterable[bytes]) -> Iterator[Picture]:
        for path in paths:
            yield Picture(path, path, None, large if path == b"large" else b"small")

    paths = pa.table({"path": [b"small"] * 5 + [b"large"] * 3})
    sizes = [table.num_rows for table in inputs.read_blocks(read, 4, paths)]
    assert sizes == [4, 3, 1]
    assert [t.num_rows for t in inputs.read_blocks(read, 4, paths.slice(0, 0))] == [0]


def test_places_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        list_files(open_place(str(tmp_path / "none")))
    with pytest.raises(UsageError, match="cannot be opened"):
        open_place("nonsense://x/y")
    with pytest.raises(UsageError, match="the path is empty"):
        open_place("")
    assert open_place(f"file://{tmp_path}").is_local


@pytest.mark.parametrize("form", ["pictures", "tar", "parquet"])
def test_a_path_that_cannot_be_used_is_refused(form: Format, tmp_path: Path) -> None:
    place = open_place(str(tmp_path / ("a" * 300)))
    with pytest.raises(UsageError, match=r"cannot be read \(File name too long"):
        inputs.find_input(place, form, LIMITS, 8, ("path", "bytes"))


def test_uris_of_files_begin_like_the_input_without_password_and_query() -> None:
    place = open_place("s3://key:secret@photos/in/?region=us-east-1")
    assert (place.uri, place.path, place.prefix) == ("s3://photos/in", "photos/in", "s3://")
    assert files.name_file(place, b"photos/in/a.jpg") == (b"s3://photos/in/a.jpg", b"a.jpg")

"""The actor, without Ray: a row for each picture, whatever its decoder does."""

# ruff: noqa: E402  pyarrow is optional

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")

import image_gender_classifier as igc
from image_gender_classifier.cluster import actor as actors
from image_gender_classifier.cluster import rows
from image_gender_classifier.cluster.keys import make_keys, sort_keys
from image_gender_classifier.cluster.temporary import TemporaryFolder
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.settings import Settings
from image_gender_classifier.system.locking import try_lock


@pytest.fixture(scope="module")
def actor() -> Iterator[actors.PictureClassifier]:
    made = actors.PictureClassifier(Settings(threshold=0.5), "path", "bytes")
    yield made
    made.close()


@pytest.fixture(scope="module")
def found(actor: actors.PictureClassifier, samples: Path) -> dict[str, dict[str, Any]]:
    """The rows of pictures of every kind, by file."""
    face, cat = (samples / "astronaut.jpg").read_bytes(), (samples / "cat.jpg").read_bytes()
    pictures = [
        rows.Picture(b"/p/face.jpg", b"face.jpg", len(face), face),
        rows.Picture(b"/p/\xff.jpg", b"\xff.jpg", len(cat), cat),
        rows.Picture(b"/p/cut.jpg", b"cut.jpg", 2000, face[:2000]),
        rows.Picture(b"/p/text.jpg", b"text.jpg", 4, b"text"),
        rows.Picture(b"/p/empty.jpg", b"empty.jpg", 0, b""),
        rows.Picture(b"/p/gone.jpg", b"gone.jpg", None, problem="no such file; check the path"),
        rows.Picture(b"/p/net.jpg", b"net.jpg", None, fault="timeout"),
    ]
    table = actor(rows.make_pictures_table(pictures))
    assert table.schema == rows.SCHEMA
    assert table["path"][0].as_py() == "/p/face.jpg"
    return {row["file"]: row for row in table.to_pylist()}


def test_each_picture_has_a_row_with_its_status(found: dict[str, dict[str, Any]]) -> None:
    assert {file: row["status"] for file, row in found.items()} == {
        "face.jpg": "classified", "%FF.jpg": "no_face", "cut.jpg": "unreadable",
        "text.jpg": "unreadable", "empty.jpg": "unreadable", "gone.jpg": "unreadable",
        "net.jpg": "failed",
    }  # fmt: skip


def test_predictions_are_those_of_the_api(found: dict[str, dict[str, Any]], samples: Path) -> None:
    expected = igc.load(threshold=0.5).classify(samples / "astronaut.jpg")
    row = found["face.jpg"]
    assert (row["gender"], row["run"]) == (expected.gender, expected.run)
    assert row["confidence"] == pytest.approx(expected.confidence, abs=0.0006)
    assert len(row["faces"]) == len(expected.faces)


def test_other_data_sets_need_two_columns(actor: actors.PictureClassifier, samples: Path) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    (row, none) = actor(pa.table({"path": ["a/cat.jpg", None], "bytes": [cat, None]})).to_pylist()
    assert (row["path"], row["file"], row["size"]) == ("a/cat.jpg", "a/cat.jpg", len(cat))
    assert (none["status"], none["message"]) == ("unreadable", "the row has no bytes")
    with pytest.raises(UsageError, match="no column 'bytes'; its columns are path, data"):
        actor(pa.table({"path": ["a"], "data": [cat]}))
    with pytest.raises(UsageError, match="column 'bytes' has int64, not the bytes of files"):
        actor(pa.table({"path": ["a"], "bytes": [1]}))
    empty = pa.table({"path": pa.array([], pa.string()), "bytes": pa.array([], pa.binary())})
    assert actor(empty).num_rows == 0


def test_a_killed_worker_process_costs_no_row(
    actor: actors.PictureClassifier, samples: Path
) -> None:
    cat = (samples / "cat.jpg").read_bytes()
    names = [b"%d" % number for number in range(20)]
    batch = rows.make_pictures_table([rows.Picture(name, name, 1, cat) for name in names])
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("this system has no /proc")
    for child in children.read_text().split():
        if b"worker.main" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGKILL)
    assert {row["status"] for row in actor(batch).to_pylist()} == {"no_face"}


def test_folders_of_killed_actors_are_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os, sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from image_gender_classifier.cluster.temporary import TemporaryFolder\n"
        "folder = TemporaryFolder(); (folder.path / '0').write_bytes(b'x')\n"
        "print('made', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None and other.stdout.readline()
        mine = TemporaryFolder()
        assert len(list(tmp_path.iterdir())) == 2, "the folder of a running process stays"
        other.kill()
        other.wait()
        mine.close()
    mine = TemporaryFolder()
    assert list(tmp_path.iterdir()) == [mine.path]
    mine.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_folder_that_another_actor_takes_for_a_leftover_is_not_used(
    is_removed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another actor may find it between its creation and its lock."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    create = tempfile.mkdtemp
    taken: list[int] = []

    def create_and_lose(**options: str) -> str:
        folder = create(**options)
        if not taken:
            taken.append(os.open(folder, os.O_RDONLY))
            assert try_lock(taken[0]) == "acquired"
            if is_removed:
                Path(folder).rmdir()
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", create_and_lose)
    folder = TemporaryFolder()
    os.close(taken[0])
    TemporaryFolder().close()
    assert list(tmp_path.iterdir()) == [folder.path]
    folder.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no /proc")
def test_a_closed_folder_leaves_no_open_file() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    TemporaryFolder().close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("debug", [False, True])
def test_debug_shows_the_tracebacks_of_the_worker_process(
    debug: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(model=str(tmp_path / "gone.tflite"))
    actor = actors.PictureClassifier(settings, "path", "bytes", debug=debug)
    picture = rows.Picture(b"a.jpg", b"a.jpg", 4, b"data")
    with pytest.raises(ModelError, match=r"gone\.tflite"):
        actor(rows.make_pictures_table([picture]))
    assert ("Traceback" in capfd.readouterr().err) == debug


def test_a_batch_that_fails_leaves_nothing_for_the_next_one(
    samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray gives the actor another batch if the user allows failed blocks."""

    def read(*names: str) -> Any:
        files = [(name, (samples / name).read_bytes()) for name in names]
        return rows.make_pictures_table(
            [rows.Picture(name.encode(), name.encode(), len(data), data) for name, data in files]
        )

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    actor = actors.PictureClassifier(Settings(detector="none"), "path", "bytes")
    with monkeypatch.context() as patch:
        patch.setattr(rows, "make_row", fail)
        with pytest.raises(RuntimeError, match="a bug"):
            actor(read("astronaut.jpg", "cat.jpg", "rocket.jpg"))
    again = actor(read("rocket.jpg", "mona_lisa.jpg"))
    actor.close()
    with igc.load(detector="none") as classifier:
        expected = [classifier.classify(samples / name) for name in ("rocket.jpg", "mona_lisa.jpg")]
    assert again["run"].to_pylist() == [prediction.run for prediction in expected]


def test_rows_of_earlier_runs_are_kept_by_path_and_content(
    actor: actors.PictureClassifier, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, face = ((samples / name).read_bytes() for name in ("cat.jpg", "astronaut.jpg"))
    files = {b"cat": cat, b"text": b"text", b"empty": b"", b"changed": cat}
    batch = rows.make_pictures_table([rows.Picture(name, name, 1, files[name]) for name in files])
    earlier = [(row["path"], row["run"]) for row in actor(batch).to_pylist()]
    monkeypatch.setattr(actor, "_known", sort_keys([make_keys(earlier)]), raising=False)
    later = [
        *(rows.Picture(name, name, 1, files[name]) for name in (b"cat", b"text", b"empty")),
        rows.Picture(b"changed", b"changed", 1, face),
        rows.Picture(b"elsewhere", b"elsewhere", 1, cat),
    ]
    found = actor(rows.make_pictures_table(later)).to_pylist()
    assert [row["status"] for row in found] == ["kept", "kept", "kept", "classified", "no_face"]
    assert [(row["path"], row["run"]) for row in found[:3]] == earlier[:3]

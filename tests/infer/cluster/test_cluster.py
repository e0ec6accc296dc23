"""A real Ray cluster of two nodes with an object store: `make ray-test`.

Each run is a process of its own. The runs that are killed classify 200 pictures, and with
`make ray-test ARGS="-m large"` 2,000.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ray_cluster import (
    DECODERS,
    DETECTOR,
    HOSTILE,
    Cluster,
    classify_with_command,
    make_node,
    make_pictures,
    serve_bucket,
)

REASON = "needs Ray and moto: make ray-test"
pytest.importorskip("ray.data", reason=REASON)
pytest.importorskip("moto.server", reason=REASON)
fs = pytest.importorskip("pyarrow.fs", reason=REASON)
parquet = pytest.importorskip("pyarrow.parquet", reason=REASON)

pytestmark = [pytest.mark.ray, pytest.mark.slow]

TIMEOUT = 1800
ROWS = 20  # of each part
FAILED = HOSTILE // 5  # the pictures that hang their decoder
SHARED_COLUMNS = ("gender", "confidence", "p_female", "status", "run", "message", "id")


@pytest.fixture(scope="module")
def decoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH that makes the decoders of hostile pictures crash or hang."""
    folder = tmp_path_factory.mktemp("decoders")
    (folder / "sitecustomize.py").write_text(DECODERS)
    return folder


@pytest.fixture(scope="module")
def ray_environment(decoders: Path) -> Iterator[None]:
    """The environment variables of the cluster and of the commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_worker_niceness", "0")  # busy machines starve nicer processes
        patch.setenv("PYTHONPATH", str(decoders))
        patch.setenv("DECODING_DELAY", "0.1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        yield


@pytest.fixture(scope="module")
def cluster(ray_environment: None) -> Iterator[Cluster]:
    running = Cluster()
    yield running
    running.shutdown()


@pytest.fixture(scope="module")
def bucket(ray_environment: None) -> Iterator[str]:
    """See `serve_bucket`."""
    with serve_bucket() as uri:
        yield uri


class Work(NamedTuple):
    """Pictures in the object store, and what the command says of them.

    Attributes:
        source: Their URI.
        number: How many they are.
        expected: The rows that the command writes, by file.
    """

    source: str
    number: int
    expected: dict[str, dict[str, Any]]


MakeWork = Callable[[int], Work]


@pytest.fixture(scope="module")
def make_work(
    cluster: Cluster, samples: Path, bucket: str, tmp_path_factory: pytest.TempPathFactory
) -> MakeWork:
    @cache
    def make(number: int) -> Work:
        pictures = make_pictures(samples, tmp_path_factory.mktemp("pictures"), number)
        expected = classify_with_command(pictures, tmp_path_factory.mktemp("expected"))
        assert len(expected) == number - FAILED
        source = bucket.format(f"in-{number}")
        store, path = fs.FileSystem.from_uri(source)
        fs.copy_files(str(pictures), path, destination_filesystem=store)
        return Work(source, number, expected)

    return make


@pytest.fixture(scope="module", params=[200, pytest.param(2000, marks=pytest.mark.large)])
def work(request: pytest.FixtureRequest, make_work: MakeWork) -> Work:
    return make_work(request.param)


@pytest.fixture(scope="module")
def small_work(make_work: MakeWork) -> Work:
    return make_work(200)


class Run:
    """A running command, whose standard error is collected while it runs."""

    def __init__(self, cluster: Cluster, source: object, output: object, *options: object) -> None:
        words: list[object] = ["--address", cluster.address, "--input", source, "--output", output]
        words += ["--batch", 5, "--rows-per-file", ROWS, *DETECTOR, *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "image_gender_classifier.cluster", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.output = str(output)
        self.errors = ""
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line

    def finish(self) -> tuple[int, str, str]:
        """Returns the exit code, standard output and standard error."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        code = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        return code, out, self.errors

    def wait_for_rows(self, number: int) -> None:
        """Waits until the run has written at least some rows."""
        parts = number // ROWS
        wait_until(lambda: len(list_parts(self.output)) >= parts or self._has_ended())

    def wait_for_message(self, text: str) -> None:
        wait_until(lambda: text in self.errors or self._has_ended())

    def _has_ended(self) -> bool:
        assert self.process.poll() is None, self.finish()
        return False


def wait_until(is_done: Any) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def read_rows(uri: str) -> list[dict[str, Any]]:
    """Returns the rows of an output, as other programs read it."""
    store, _ = fs.FileSystem.from_uri(uri)
    tables = [parquet.read_table(file, filesystem=store) for file in list_parts(uri)]
    return [row for table in tables for row in table.to_pylist()]


def list_parts(uri: str) -> list[str]:
    store, path = fs.FileSystem.from_uri(uri)
    found = store.get_file_info(fs.FileSelector(path, allow_not_found=True))
    return [info.path for info in found if info.is_file and info.base_name[0] not in "._"]


def assert_complete(uri: str, work: Work) -> None:
    """Checks that there is one row for each picture, with the values of the command."""
    rows = read_rows(uri)
    files = Counter(row["file"] for row in rows)
    assert max(files.values()) == 1
    assert len(files) == work.number
    by_file = {row["file"]: row for row in rows}
    assert sum(row["status"] == "failed" for row in rows) == FAILED
    for file, one in work.expected.items():
        row = by_file[file]
        assert {name: row[name] for name in SHARED_COLUMNS} == {
            name: one[name] for name in SHARED_COLUMNS
        }
        assert len(row["faces"]) == one["faces"]


def test_a_cluster_with_one_cpu_is_refused(
    ray_environment: None, samples: Path, tmp_path: Path
) -> None:
    """With one worker on the only CPU, Ray would wait forever for one to read with."""
    from ray.cluster_utils import Cluster as Nodes

    nodes = Nodes(initialize_head=True, head_node_args=make_node(1))
    try:
        code, out, err = Run(nodes, samples, tmp_path / "out").finish()
    finally:
        nodes.shutdown()
    assert (code, out) == (2, "")
    assert err == (
        "image-gender-ray: the cluster has 1 CPU, and reading needs one besides each worker; add "
        "a node or CPUs\n"
    )


def test_as_many_workers_as_cpus_are_refused(
    cluster: Cluster, samples: Path, tmp_path: Path
) -> None:
    cluster.grow()
    code, out, err = Run(cluster, samples, tmp_path / "out", "--workers", 4).finish()
    assert (code, out) == (2, "")
    assert "4 workers: the cluster has 4 CPUs, of which reading needs one; give 1 to 3" in err


def test_a_killed_driver_loses_nothing(cluster: Cluster, work: Work, bucket: str) -> None:
    cluster.grow()
    output = bucket.format(f"driver-{work.number}")
    run = Run(cluster, work.source, output)
    run.wait_for_rows(work.number // 3)
    run.process.send_signal(signal.SIGKILL)
    run.finish()
    code, _, err = Run(cluster, work.source, output).finish()
    assert code == 2 and "give --resume to continue it" in err
    before = Counter(row["status"] == "failed" for row in read_rows(output))
    assert 0 < before[False] < work.number - HOSTILE
    code, out, err = Run(cluster, work.source, output, "--resume").finish()
    assert err == "", "a message of Ray"
    assert code == 4, "some decoders hang"
    assert f"{before[False]} of {work.number} kept from an earlier run" in out
    assert_complete(output, work)


def test_a_rerun_keeps_all_rows_and_tries_failed_pictures_again(
    cluster: Cluster, work: Work, bucket: str
) -> None:
    cluster.grow()
    output = bucket.format(f"driver-{work.number}")
    code, out, err = Run(cluster, work.source, output, "--resume").finish()
    assert (code, err) == (4, "")
    assert out.startswith(f"{FAILED} pictures: ")
    assert f"{work.number - FAILED} of {work.number} kept from an earlier run" in out
    assert_complete(output, work)


def test_killed_actors_and_a_killed_node_lose_nothing(
    cluster: Cluster, work: Work, bucket: str
) -> None:
    cluster.grow()
    output = bucket.format(f"node-{work.number}")
    run = Run(cluster, work.source, output)
    run.wait_for_rows(work.number // 5)
    actors = find_processes("ray::MapWorker")
    assert actors
    for actor in actors:
        os.kill(actor, signal.SIGKILL)
    run.wait_for_rows(work.number // 3)  # enough is left until the CPUs are counted twice
    cluster.kill_second()
    run.wait_for_message("the cluster has only 2 of the 4 CPUs of this run")
    cluster.grow()
    code, out, err = run.finish()
    assert (code, err.count("\n")) == (4, 1)
    assert out.startswith(f"{work.number} pictures: ")
    assert_complete(output, work)


def find_processes(name: str) -> list[int]:
    """Returns the processes of this name that the tests have started, by their PYTHONPATH."""
    found = []
    mark = f"PYTHONPATH={os.environ['PYTHONPATH']}".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            is_ours = mark in path.with_name("environ").read_bytes()
            if is_ours and path.read_bytes().startswith(name.encode()):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_run_goes_on_without_a_killed_node_if_there_are_cpus_enough(
    cluster: Cluster, small_work: Work, bucket: str
) -> None:
    cluster.grow()
    output = bucket.format(f"fewer-{small_work.number}")
    run = Run(cluster, small_work.source, output, "--workers", 1)
    run.wait_for_rows(small_work.number // 3)
    cluster.kill_second()
    code, _, err = run.finish()
    assert (code, err) == (4, "")
    assert_complete(output, small_work)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_run_says_how_to_continue(
    number: signal.Signals, code: int, cluster: Cluster, small_work: Work, tmp_path: Path
) -> None:
    cluster.grow()
    run = Run(cluster, small_work.source, tmp_path / "out")
    run.wait_for_rows(ROWS)
    run.process.send_signal(number)
    ended, out, err = run.finish()
    assert (ended, out) == (code, "")
    assert err.endswith("run the same command with --resume to continue\n")
    assert err.count("\n") == 1


def test_a_model_that_cannot_be_opened_ends_the_run_with_its_reason(
    cluster: Cluster, samples: Path, tmp_path: Path
) -> None:
    """Ray would restart an actor forever that cannot be created."""
    cluster.grow()
    options = ("--model", "none.tflite")
    code, out, err = Run(cluster, samples, tmp_path / "out", *options).finish()
    assert (code, out) == (2, "")
    assert err.startswith("image-gender-ray: ") and str(Path.cwd() / "none.tflite") in err
    assert err.count("\n") == 1


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two CPUs")
def test_without_an_address_ray_starts_on_this_machine_silently(
    cluster: Cluster, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it join the cluster of the other tests, which Ray would find."""
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    words = [sys.executable, "-m", "image_gender_classifier.cluster"]
    words += ["--input", str(samples), "--output", str(tmp_path / "out")]
    words += [*DETECTOR, "--workers"]
    refused = subprocess.run([*words, "1000"], check=False, capture_output=True, text=True)
    assert f"the cluster has {os.cpu_count()} CPUs" in refused.stderr
    done = subprocess.run([*words, "1"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    named = {row["file"]: row["run"] for row in read_rows(str(tmp_path / "out"))}
    expected = classify_with_command(samples, tmp_path / "expected")
    assert named == {file: row["run"] for file, row in expected.items()}


def test_tar_archives_and_a_local_output(cluster: Cluster, samples: Path, tmp_path: Path) -> None:
    cluster.grow()
    pictures = make_pictures(samples, tmp_path / "pictures", 40)
    expected = classify_with_command(pictures, tmp_path)
    (tmp_path / "in").mkdir()
    for folder in pictures.iterdir():
        with tarfile.open(tmp_path / "in" / f"{folder.name}.tar", "w") as archive:
            archive.add(folder, folder.name)
    code, out, err = Run(cluster, tmp_path / "in", tmp_path / "out", "--format", "tar").finish()
    assert (code, err) == (4, "")
    assert out.startswith("40 pictures: ")
    named = {row["file"].partition("/")[2]: row for row in read_rows(str(tmp_path / "out"))}
    assert len(named) == 40
    assert {file: named[file]["run"] for file in expected} == {
        file: row["run"] for file, row in expected.items()
    }


def test_rows_of_an_interrupted_run_with_other_options_do_not_stay_beside_valid_ones(
    cluster: Cluster, samples: Path, tmp_path: Path
) -> None:
    cluster.grow()
    output, other = tmp_path / "out", tmp_path / "other"
    assert Run(cluster, samples, output).finish()[0] == 0
    expected = read_rows(str(output))
    assert Run(cluster, samples, other, "--threshold", 0.999).finish()[0] == 0
    for part in other.iterdir():
        part.rename(output / part.name)
    code, out, err = Run(cluster, samples, output, "--resume").finish()
    assert (code, err) == (0, "")
    assert f"{len(expected)} of {len(expected)} kept from an earlier run" in out
    assert read_rows(str(output)) == expected


def test_pictures_that_exceed_the_object_store_together(
    cluster: Cluster, samples: Path, tmp_path: Path
) -> None:
    """The nodes have 100 MB each; the pictures 400 MB."""
    import pyarrow as pa

    cluster.grow()
    (tmp_path / "in").mkdir()
    cat = (samples / "cat.jpg").read_bytes()
    data = cat + bytes(4_000_000)
    for number in range(4):
        names = [f"{number}-{place}.jpg" for place in range(25)]
        table = pa.table({"name": names, "data": pa.array([data] * 25, pa.large_binary())})
        parquet.write_table(table, tmp_path / "in" / f"{number}.parquet", row_group_size=5)
    options = ("--format", "parquet", "--path-column", "name", "--bytes-column", "data")
    code, _, err = Run(cluster, tmp_path / "in", tmp_path / "out", *options).finish()
    assert (code, err) == (0, "")
    rows = read_rows(str(tmp_path / "out"))
    assert len({row["path"] for row in rows}) == len(rows) == 100
    assert {(row["status"], row["size"]) for row in rows} == {("no_face", len(data))}


PIPELINE = """
import sys, ray
from image_gender_classifier.cluster import classify
ray.init(sys.argv[1], logging_level="ERROR", log_to_driver=False)
pictures = ray.data.read_binary_files(sys.argv[2], include_paths=True)
classify(pictures, workers=1, batch=2, threshold=0.5).write_parquet(sys.argv[3])
"""


def test_the_function_in_a_pipeline_of_ones_own(
    cluster: Cluster, samples: Path, tmp_path: Path
) -> None:
    cluster.grow()
    for name in ("astronaut.jpg", "cat.jpg", "mona_lisa.jpg"):
        (tmp_path / name).symlink_to(samples / name)
    words = [cluster.address, str(tmp_path), str(tmp_path / "out")]
    subprocess.run([sys.executable, "-c", PIPELINE, *words], check=True, timeout=TIMEOUT)
    found = {Path(row["path"]).name: row["status"] for row in read_rows(str(tmp_path / "out"))}
    assert found == {
        "astronaut.jpg": "classified", "cat.jpg": "no_face", "mona_lisa.jpg": "classified"
    }  # fmt: skip

"""A Ray cluster of two nodes, and mixed pictures for it: helpers for tests and benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOSTILE = 20
"""Number of hostile pictures among those of `make_pictures`."""

DETECTOR = ("--detector", "lbp")
"""Options of all runs; the fastest detector."""

START_TIMEOUT = 120  # seconds

# Python runs this at its start. Some pictures crash their decoder, others hang it, by their end;
# the hung worker is ended early, as by its timer. The delay keeps a run with few pictures busy
# until something is killed.
DECODERS = """
import os, signal, sys, time
from importlib.machinery import PathFinder

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "image_gender_classifier.imaging.decoding":
            return None
        spec = PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module
        def patch(module):
            execute(module)
            decode = module.decode
            delay = float(os.environ.get("DECODING_DELAY", "0"))
            def replaced(data, *more):
                time.sleep(delay)
                if data.endswith(b"crash"):
                    os.abort()
                if data.endswith(b"hang"):
                    signal.setitimer(signal.ITIMER_REAL, 0.1)
                    time.sleep(1000)
                return decode(data, *more)
            module.decode = replaced
        spec.loader.exec_module = patch
        return spec

sys.meta_path.insert(0, Finder)
"""


class Cluster:
    """A cluster with a head node and, after `grow`, a second node, each with two CPUs."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as Nodes

        self._nodes = Nodes(initialize_head=True, head_node_args=make_node(2))
        self.address: str = self._nodes.address
        self._second: Any = None

    def grow(self) -> None:
        if self._second is None:
            self._second = self._nodes.add_node(**make_node(2))

    def kill_second(self) -> None:
        self._nodes.remove_node(self._second, allow_graceful=False)
        self._second = None

    def shutdown(self) -> None:
        self._nodes.shutdown()


@contextmanager
def serve_bucket() -> Iterator[str]:
    """Runs an S3 server on the loopback interface, in a process of its own; a thread would starve.

    Yields:
        The URI of paths {} in a bucket.
    """
    from pyarrow import fs

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet) as process:
        try:
            deadline = time.monotonic() + START_TIMEOUT
            while not is_listening(port):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
            query = f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
            query += "&allow_bucket_creation=true"
            store, _ = fs.FileSystem.from_uri(f"s3://photos{query}")
            store.create_dir("photos")
            yield f"s3://photos/{{}}{query}"
        finally:
            process.kill()


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def make_node(cpus: int) -> dict[str, Any]:
    """Returns the arguments for a node."""
    return {"num_cpus": cpus, "object_store_memory": 100_000_000, "include_dashboard": False}


def make_pictures(samples: Path, root: Path, number: int) -> Path:
    """Writes mixed pictures, of which `HOSTILE` are hostile."""
    good = [(samples / name).read_bytes() for name in ("astronaut.jpg", "cat.jpg", "mona_lisa.jpg")]
    bad = [b"", b"text", good[0][:3000], good[0] + b"crash", good[1] + b"hang"]
    each = number // HOSTILE
    for place in range(number):
        data = bad[place // each % len(bad)] if place % each == 0 else good[place % 3]
        path = root / f"{place % 7}" / f"{place:05}.jpg"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
    return root


def classify_with_command(pictures: Path, output: Path) -> dict[str, dict[str, Any]]:
    """Returns the rows that the command writes, by file; pictures that fail have none."""
    from pyarrow import parquet

    output.mkdir(exist_ok=True)
    words = [sys.executable, "-m", "image_gender_classifier", "-i", pictures, "-o", output]
    words += ["--recursive", "--quiet", "--parquet", output / "all.parquet", *DETECTOR]
    undelayed = {**os.environ, "DECODING_DELAY": "0"}
    subprocess.run(list(map(str, words)), check=False, capture_output=True, env=undelayed)
    return {row["file"]: row for row in parquet.read_table(output / "all.parquet").to_pylist()}

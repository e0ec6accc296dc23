"""Compares image-gender-ray with the command: throughput, CPU time, memory, growth.

    .venv-test-ray/bin/python tests/benchmarks/ray_scaling.py --numbers 1000 5000 --rounds 3

Both have the same number of workers, get the options that this program does not know, such as
`--detector none`, and run in turn. What a picture costs beyond start-up is the
difference between two numbers of pictures; CPU time depends less on other jobs of the machine.
With --nodes, it runs Ray only, on two nodes, and prints the memory of each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2

SAMPLES = Path(__file__).resolve().parents[2] / "docs" / "samples"
TICK = os.sysconf("SC_CLK_TCK")
INTERVAL = 0.5  # seconds between two looks at the processes
TOOLS = {
    "command": ("image_gender_classifier", "-i", "-o"),
    "Ray": ("image_gender_classifier.cluster", "-i", "-o"),
}


class Cost(NamedTuple):
    """What a run took.

    Attributes:
        wall: Wall time in seconds.
        cpu: CPU seconds of all its processes.
        memory: Peak of their proportional memory (PSS), in MB.
    """

    wall: float
    cpu: float
    memory: float


class Sampler(threading.Thread):
    """Watches the processes of a run, which are those with a variable in their environment."""

    def __init__(self, mark: str) -> None:
        super().__init__(daemon=True)
        self._mark = mark.encode()
        self._seconds: dict[int, float] = {}
        self.memory = 0.0
        self.ended = threading.Event()

    @property
    def cpu(self) -> float:
        return sum(self._seconds.values())

    def run(self) -> None:
        while not self.ended.wait(INTERVAL):
            self.memory = max(self.memory, sum(map(self._look, Path("/proc").glob("[0-9]*"))))

    def _look(self, process: Path) -> float:
        """Notes the CPU time of a process; returns its memory in MB."""
        try:
            if self._mark not in (process / "environ").read_bytes():
                return 0.0
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            self._seconds[int(process.name)] = (int(fields[11]) + int(fields[12])) / TICK
            for line in (process / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) / 1024
        except OSError:
            pass
        return 0.0


def measure(words: list[str]) -> Cost:
    name, value = "RAY_SCALING_RUN", str(time.monotonic_ns())
    sampler = Sampler(f"{name}={value}")
    sampler.start()
    start = time.perf_counter()
    environment = {**os.environ, name: value}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    sampler.ended.set()
    sampler.join()
    if done.returncode:
        sys.exit(f"{words}: exit code {done.returncode}\n{done.stderr}")
    return Cost(wall, sampler.cpu, sampler.memory)


def measure_nodes(pictures: Path, workers: int, options: list[str]) -> None:
    """Prints the memory of a node with the command, and of a node with its workers only."""
    from ray.cluster_utils import Cluster

    name, value = "RAY_SCALING_NODE", str(time.monotonic_ns())
    head, other = (f"{value}-{role}" for role in ("head", "other"))
    arguments = {"include_dashboard": False, "num_cpus": 1, "env_vars": {name: head}}
    cluster = Cluster(initialize_head=True, head_node_args=arguments)
    cluster.add_node(num_cpus=workers, env_vars={name: other})
    samplers = [Sampler(f"{name}={role}") for role in (head, other)]
    for sampler in samplers:
        sampler.start()
    module, *names = TOOLS["Ray"]
    with tempfile.TemporaryDirectory() as output:
        words = [sys.executable, "-m", module, names[0], str(pictures), names[1], output]
        words += ["--address", cluster.address, "--quiet", *options]
        subprocess.run(words, env={**os.environ, name: head}, check=True)
    for sampler in samplers:
        sampler.ended.set()
        sampler.join()
    cluster.shutdown()
    print(
        f"{pictures.name} pictures, peak memory of the node of the command: "
        f"{samplers[0].memory:.0f} MB, of a node with {workers} workers: "
        f"{samplers[1].memory:.0f} MB",
        flush=True,
    )


def fill(folder: Path, number: int, side: int) -> None:
    picture = cv2.imread(str(SAMPLES / "aksel_andersson.jpg"))
    assert picture is not None
    ok, data = cv2.imencode(".jpg", cv2.resize(picture, (side, side)))
    assert ok
    folder.mkdir()
    for each in range(number):
        (folder / f"{each:07}.jpg").write_bytes(data.tobytes())


def run(tool: str, pictures: Path, options: list[str]) -> Cost:
    module, *names = TOOLS[tool]
    with tempfile.TemporaryDirectory() as output:
        words = [sys.executable, "-m", module, names[0], str(pictures), names[1], output]
        cost = measure([*words, "--quiet", *options])
    print(
        f"{tool}, {pictures.name} pictures: {cost.wall:.1f} s, {cost.cpu:.1f} s of CPU, "
        f"peak memory {cost.memory:.0f} MB",
        flush=True,
    )
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--side", type=int, default=250, help="of the square pictures, in pixels")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--nodes", action="store_true", help="measure the memory of two nodes")
    given, options = parser.parse_known_args()
    options += ["--workers", str(given.workers)]
    with tempfile.TemporaryDirectory() as root:
        for number in given.numbers:
            fill(Path(root, str(number)), number, given.side)
            if given.nodes:
                measure_nodes(Path(root, str(number)), given.workers, options)
        if given.nodes:
            return
        for _ in range(given.rounds):
            costs = {
                (tool, number): run(tool, Path(root, str(number)), options)
                for number in given.numbers
                for tool in given.tools
            }
            for tool in given.tools:
                for few, many in pairwise(given.numbers):
                    wall, cpu, _ = (
                        (after - before) / (many - few)
                        for after, before in zip(costs[tool, many], costs[tool, few], strict=True)
                    )
                    print(
                        f"{tool}, from {few} to {many}: {1 / wall:.1f} pictures per second, "
                        f"{1000 * cpu:.2f} ms of CPU per picture",
                        flush=True,
                    )


if __name__ == "__main__":
    main()

"""Decodes every picture of a folder at full size in colour: `decode_loop FOLDER HOW WORKERS`.

HOW is `threads` or `processes`. Prints the seconds that decoding took, without the start of the
workers, the processor time of this process (of threads, that is; what processes take stands
elsewhere), and the number of pictures.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

Map = Callable[[Callable[[str], int], Iterable[str]], Iterable[int]]


def decode(path: str) -> int:
    """Decodes one picture; gives its height, so that nothing large travels between processes."""
    pixels = cv2.imread(path, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path}: no picture")
    return int(pixels.shape[0])


def timed(run_over: Map, paths: list[str], workers: int) -> tuple[float, float]:
    """Seconds and processor time for all pictures, after a first one for each worker."""
    list(run_over(decode, paths[:workers]))
    wall, cpu = time.perf_counter(), time.process_time()
    list(run_over(decode, paths))
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Decodes the folder."""
    folder, how, workers = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    paths = sorted(map(str, folder.iterdir()))
    cv2.setNumThreads(1)
    if how == "threads":
        with ThreadPoolExecutor(workers) as threads:
            seconds, cpu = timed(threads.map, paths, workers)
    else:
        with multiprocessing.get_context("fork").Pool(workers) as processes:
            seconds, cpu = timed(processes.imap, paths, workers)
    json.dump([seconds, cpu, len(paths)], sys.stdout)


if __name__ == "__main__":
    main()

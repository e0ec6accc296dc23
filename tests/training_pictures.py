"""Pictures for tests of training and conversion: backgrounds, and folders of faces."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels


def draw_backgrounds(count: int, height: int = 120, width: int = 160) -> list[Pixels]:
    """Draws smooth noise, in which the shipped networks find no face."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (count, 9, 12, 3), np.uint8)
    return [np.asarray(cv2.resize(one, (width, height)), np.uint8) for one in coarse]


def write_backgrounds(folder: Path, count: int) -> Path:
    for number, pixels in enumerate(draw_backgrounds(count)):
        assert cv2.imwrite(str(folder / f"{number}.png"), pixels)
    return folder


def write_gender_folders(root: Path, pixels: Pixels, names: Iterable[object]) -> Path:
    """Writes a picture under each of the names to the folder `female` and to the folder `male`."""
    for gender in ("female", "male"):
        (root / gender).mkdir(parents=True)
        for name in names:
            assert cv2.imwrite(str(root / gender / f"{name}.png"), pixels[..., ::-1])
    return root


def touch(root: Path, *names: str) -> Path:
    """Makes empty files, whose names alone count, and their folders."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root

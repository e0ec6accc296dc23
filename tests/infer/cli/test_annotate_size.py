"""`--annotate-size`: large copies show details that the classifier does not need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np

Command = Callable[..., CompletedProcess[str]]


def test_a_large_copy_of_a_panorama_is_sharp(command: Command, out: Path, tmp_path: Path) -> None:
    for name in ("in", "drawn"):
        (tmp_path / name).mkdir()
    stripes = np.zeros((256, 4096, 3), np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = stripes[:, 2::8] = stripes[:, 3::8] = 255
    assert cv2.imwrite(str(tmp_path / "in" / "a.png"), stripes)
    options = ("-i", tmp_path / "in", "-o", out, "--annotate", tmp_path / "drawn")
    contrasts = []
    for size in ("640", "2048"):
        command(*options, "--resume", "--annotate-size", size)
        copy = cv2.imread(str(tmp_path / "drawn" / "a.jpg"), cv2.IMREAD_GRAYSCALE)
        assert copy is not None
        assert copy.shape == (256 * int(size) // 4096, int(size))
        contrasts.append(copy[copy.shape[0] * 3 // 4].std())
    assert contrasts[0] < 40
    assert contrasts[1] > 100

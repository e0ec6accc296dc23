"""Small folders of synthetic portraits, face crops and backgrounds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise in the layout of the portraits' folder: two of lfw, one of each other set."""
    root = tmp_path_factory.mktemp("portraits")
    sizes = {
        "lfw/female/a.png": (250, 250), "lfw/male/b.png": (250, 250),
        "caltech_faces/c.png": (200, 300), "wider/d.png": (300, 200), "no_face/e.png": (200, 200),
    }  # fmt: skip
    write_noise(root, sizes)
    for name, row in (("caltech_faces", "c.png,100,50,80,90"), ("wider", "d.png,0,100,80,90")):
        (root / name / "boxes.csv").write_text(f"file,x,y,width,height\n{row}\n")
    return root


@pytest.fixture(scope="session")
def fairface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three crops of noise as FairFace's validation part."""
    root = tmp_path_factory.mktemp("fairface")
    write_noise(root, {f"val/{number}.png": (128, 128) for number in range(3)})
    return root


@pytest.fixture(scope="session")
def backgrounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures of noise to set faces into."""
    root = tmp_path_factory.mktemp("backgrounds")
    write_noise(root, {"one.png": (180, 240), "two.png": (240, 100)})
    return root


def write_noise(root: Path, sizes: dict[str, tuple[int, int]]) -> None:
    random = np.random.default_rng(7)
    for name, (height, width) in sizes.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (height, width, 3), np.uint8)
        assert cv2.imwrite(str(root / name), pixels)

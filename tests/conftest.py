"""Fixtures for all tests."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

# One thread per library, in subprocesses too: the networks of the tests are too small to gain from
# more. Must be set before the libraries are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from crop_folders import FOLDERS
from hypothesis import settings

# No test asserts a time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Commands would inherit ignored signals when the tests run in the background or under nohup.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

ROOT = Path(__file__).resolve().parent.parent
SHARED_VARIABLE = "IGC_SHARED"
SHORT = Path(__file__).with_name("short.toml")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data sets; tests that need it skip where it is absent."""
    folder = Path(os.environ.get(SHARED_VARIABLE, ROOT.parent / "shared"))
    if not (folder / "fairface").is_dir():
        pytest.skip(f"no shared data in {folder}; {SHARED_VARIABLE} can name its folder")
    return folder


@pytest.fixture(scope="session")
def shipped_keras() -> Path:
    """The shipped Keras model; skips with a Keras older than the one that wrote it."""
    keras = pytest.importorskip("keras")
    path = ROOT / "models" / "gender.keras"
    written_by = json.loads((path.parent / "manifest.json").read_text())["files"][path.name]
    needed = written_by["trained"]["keras"]
    if [int(part) for part in keras.__version__.split(".")[:2]] < [
        int(part) for part in needed.split(".")[:2]
    ]:
        pytest.skip(f"Keras {keras.__version__} cannot read a file of Keras {needed}")
    return path


@pytest.fixture(scope="session")
def samples() -> Path:
    """The sample pictures: three portraits; cat.jpg and rocket.jpg have no face."""
    return ROOT / "docs" / "samples"


@pytest.fixture(scope="session")
def face_picture(samples: Path) -> Path:
    """A picture with one frontal face."""
    return samples / "astronaut.jpg"


@pytest.fixture(scope="session")
def face_crop(face_picture: Path) -> npt.NDArray[np.uint8]:
    """The face of that picture with the gender classifier's margin, 128 x 128 x 3."""
    pytest.importorskip("ai_edge_litert")
    from image_gender_classifier import manifest
    from image_gender_classifier.detection import registry
    from image_gender_classifier.imaging import decoding
    from image_gender_classifier.loading import shipped_models
    from image_gender_classifier.pipeline import find_crop

    detector = registry.open_detector("cascade", manifest.load(shipped_models()), "tflite")
    crop = find_crop(decoding.read(face_picture), detector, 128)
    assert crop is not None
    return crop


def draw_face(female: bool, seed: int) -> npt.NDArray[np.uint8]:
    """Draws an oval on noise: a red, long one for female and a blue, wide one for male."""
    random = np.random.default_rng(seed)
    picture = random.integers(60, 160, (56, 48, 3), np.uint8)
    centre = (int(random.integers(20, 28)), int(random.integers(24, 32)))
    axes, colour = ((12, 18), (220, 60, 70)) if female else ((17, 13), (60, 80, 220))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, colour[::-1], -1)
    return picture


@pytest.fixture(scope="session")
def drawn_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 drawn pictures, half of them in the folder `female`, half in `male`."""
    root = tmp_path_factory.mktemp("drawn")
    for number in range(200):
        gender = "female" if number % 2 else "male"
        (root / gender).mkdir(exist_ok=True)
        path = root / gender / f"{number}.png"
        assert cv2.imwrite(str(path), draw_face(gender == "female", number))
    return root


@pytest.fixture(scope="session")
def short_file() -> Path:
    """A recipe for the network as it ships, trained in seconds on the labels alone."""
    return SHORT


@pytest.fixture(scope="session")
def few_pictures_tried() -> Iterator[None]:
    """Tells face crops from whole pictures by five: to search drawn ones for a face takes long."""
    from image_gender_classifier.train.common import picture_kind

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture_kind, "TRIED", 5)
        yield


@pytest.fixture(scope="session")
def trained(
    drawn_faces: Path, few_pictures_tried: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a short training on the drawn faces."""
    pytest.importorskip("tensorflow")
    from image_gender_classifier.train.gender import cli

    folder = tmp_path_factory.mktemp("trained")
    options = ["--data", drawn_faces, *FOLDERS, "--out", folder, "--recipe", SHORT]
    assert cli.main([str(option) for option in options]) == 0
    return folder

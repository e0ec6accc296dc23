"""Views of faces and the corrections of their frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("ai_edge_litert")

from image_gender_classifier import loading
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.whole_picture import WholePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.pipeline import find_crop
from image_gender_classifier.results import Box, Face
from image_gender_classifier.settings import Settings
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.frame_output.views import FrameViews, collect_views

RAMP: Pixels = np.dstack([*np.meshgrid(np.arange(64), np.arange(64)), np.full((64, 64), 9)]).astype(
    np.uint8
)
"""A crop whose colours say where each pixel is."""


@pytest.fixture(scope="module")
def detector() -> Detector:
    return loading.open_parts(Settings()).detector


@pytest.fixture(scope="module")
def backgrounds() -> list[Pixels]:
    smooth = np.linspace(60, 180, 160).astype(np.uint8)
    return [np.dstack([np.tile(smooth, (120, 1))] * 3)]


def collect(
    detector: Detector, faces: list[Pixels], backgrounds: list[Pixels], seed: int = 1
) -> FrameViews:
    return collect_views(detector, faces, backgrounds, pictures=30, size=48, seed=seed)


def test_views_are_deterministic_and_have_small_corrections(
    detector: Detector, backgrounds: list[Pixels], face_picture: Path
) -> None:
    face = find_crop(decoding.read(face_picture), detector, 128)
    assert face is not None
    views = collect(detector, [face], backgrounds)
    assert views.crops.shape[1:] == (48, 48, 3)
    assert views.crops.dtype == np.uint8
    assert 60 < len(views.crops) <= 30 * 4
    assert views.corrections.shape == (len(views.crops), 3)
    assert views.corrections.dtype == np.float32
    assert np.abs(np.median(views.corrections, axis=0)).max() < 0.1
    again = collect(detector, [face], backgrounds)
    assert np.array_equal(views.crops, again.crops)
    other = collect(detector, [face], backgrounds, 2)
    assert not np.array_equal(views.corrections[:9], other.corrections[:9])


class Nowhere(WholePicture):
    """A detector that finds something else than the face."""

    def detect(self, picture: Picture) -> list[Face]:
        return [Face(Box(-900, -900, 30, 30), "none")]


class Lying(WholePicture):
    """A detector that takes each picture for one that lies on its side."""

    def detect(self, picture: Picture) -> list[Face]:
        whole = geometry.find_central_square(picture.height, picture.width)
        return [Face(whole, "none", turn=90)]


@pytest.mark.parametrize("blind", [Nowhere(), Lying()])
def test_a_detector_that_finds_no_face_is_reported(
    blind: Detector, backgrounds: list[Pixels]
) -> None:
    with pytest.raises(DataError, match="finds no face"):
        collect(blind, [RAMP], backgrounds)


class Central(WholePicture):
    """A detector that takes the square around the bluest pixels for the frame."""

    def detect(self, picture: Picture) -> list[Face]:
        rows, columns = np.nonzero(picture.pixels[..., 2] < 20)
        if not rows.size:
            return []
        middle = columns.mean(), rows.mean()
        side = float(np.sqrt(rows.size)) * 1.2
        return [Face(Box(middle[0] - side / 2, middle[1] - side / 2, side, side), "none")]


def test_corrections_lead_to_the_true_centre(backgrounds: list[Pixels]) -> None:
    """The colour in the middle of a view says where in the crop it lies."""
    views = collect_views(Central(), [RAMP], backgrounds, pictures=60, size=49, seed=3)
    inside = views.crops[:, 24, 24, 2] < 20
    seen = views.crops[inside, 24, 24, :2].astype(float)
    right, down, log_side = views.corrections[inside].T
    scale = 64 / np.exp(log_side)  # pixels of the ramp in a side of the view
    expected = 31.5 - np.column_stack([right * scale, down * scale])
    error = np.abs(seen - expected)
    assert len(error) > 100
    assert np.median(error) < 0.7


@pytest.mark.parametrize("seed", [3, 4])
def test_corrections_lead_to_the_true_side(backgrounds: list[Pixels], seed: int) -> None:
    """A pixel of the ramp is as large in a view as its side says."""
    views = collect_views(Central(), [RAMP], backgrounds, pictures=60, size=49, seed=seed)
    middle = views.crops[:, 12:37, 12:37].astype(float)
    inside = (middle[..., 2] < 20).all(axis=(1, 2))
    steps = (middle[inside, 12, -1, 0] - middle[inside, 12, 0, 0]) / 24
    sides = 64 / np.exp(views.corrections[inside, 2])
    assert inside.sum() > 100
    assert np.median(np.abs(steps * 49 / sides - 1)) < 0.03

"""Regions are fractions of the picture as it is stored, before its EXIF orientation is applied."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from image_gender_classifier.imaging import decoding
from image_gender_classifier.outputs.regions import Region, is_same_face, locate_region
from image_gender_classifier.results import Box, Stored


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_region_of_a_box_shows_the_same_pixels_in_the_stored_picture(orientation: int) -> None:
    stored = np.zeros((100, 160, 3), np.uint8)
    stored[10:30, 100:150] = 255
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(file, "JPEG", quality=95, exif=exif)
    picture = decoding.decode(file.getvalue())
    assert picture.stored == Stored(160, 100, orientation)
    rows, columns = np.nonzero(picture.pixels[..., 0] > 127)
    box = Box(
        float(columns.min()),
        float(rows.min()),
        float(columns.max() - columns.min() + 1),
        float(rows.max() - rows.min() + 1),
    )
    region = locate_region(box, picture.stored)
    assert region is not None
    assert region == pytest.approx((125 / 160, 20 / 100, 50 / 160, 20 / 100), abs=0.02)


def test_a_region_ends_at_the_edges_of_the_picture() -> None:
    stored = Stored(100, 200, 1)
    assert locate_region(Box(-50, 150, 100, 100), stored) == Region(0.25, 0.875, 0.5, 0.25)
    assert locate_region(Box(100, 0, 10, 10), stored) is None
    assert locate_region(Box(10, 10, 0, 10), stored) is None


def test_regions_of_the_same_face_overlap() -> None:
    face = Region(0.5, 0.5, 0.2, 0.2)
    assert is_same_face(face, Region(0.52, 0.48, 0.2, 0.25))
    assert not is_same_face(face, Region(0.65, 0.5, 0.2, 0.2))
    assert not is_same_face(face, Region(0.5, 0.5, 0, 0))

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from image_gender_classifier.imaging.formats import JPEG
from image_gender_classifier.imaging.headers import read_header
from image_gender_classifier.imaging.jpeg_scans import count_scans, has_all_coefficients


def encode(mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def many_scans(count: int) -> bytes:
    """A JPEG whose last scan comes again and again."""
    data = encode(progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


@pytest.mark.parametrize("count", [0, 1, 30, 300])
def test_scans_are_counted(count: int) -> None:
    data = many_scans(count)
    usual = encode(progressive=True).count(b"\xff\xda")
    assert count_scans(data, read_header(data, JPEG).data_offset) == usual + count


def test_scans_of_what_follows_the_picture_are_not_counted() -> None:
    data = encode(progressive=True)
    video = b"\xff\xda" * 1000
    at = read_header(data, JPEG).data_offset
    assert count_scans(data + video, at) == count_scans(data, at)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_can_be_counted(data: bytes, at: int) -> None:
    has_all_coefficients(b"\xff\xda\0\x02" * 20 + data, at, 3)
    assert count_scans(b"\xff\xda\0\x02" * 20 + data, at) >= 1


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_picture_sends_everything_with_its_last_scan(mode: str, progressive: bool) -> None:
    data = encode(mode, progressive=progressive)
    header = read_header(data, JPEG)
    assert has_all_coefficients(data, header.data_offset, header.components)
    for scan in range(header.data_offset - 1, data.rindex(b"\xff\xda")):
        if data.startswith(b"\xff\xda", scan):
            assert not has_all_coefficients(data[:scan], header.data_offset, header.components)

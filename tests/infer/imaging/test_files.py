"""Errors of the operating system while a picture is read."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.files import read_bytes


def fail_open(patch: pytest.MonkeyPatch, number: int) -> None:
    def fail(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    patch.setattr(os, "open", fail)


@pytest.mark.parametrize(
    "number",
    [
        *(errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ETIMEDOUT, errno.ENOTCONN),
        *(errno.ECONNABORTED, errno.ENETDOWN, errno.ENODEV, errno.EAGAIN, errno.EBUSY),
    ],
)
def test_a_fault_of_the_environment_is_not_the_pictures(
    number: int, face_picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_open(patch, number)
        with pytest.raises(Unfinished) as raised:
            read_bytes(face_picture)
    assert os.strerror(number) in str(raised.value) and "check" in str(raised.value)
    assert read_bytes(face_picture) == face_picture.read_bytes()


@pytest.mark.parametrize(("size", "most_read"), [(2**20, 2**20), (2**20 + 1, 2**16)])
def test_a_large_file_that_is_no_picture_is_not_read_whole(
    size: int, most_read: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"no picture".ljust(size))
    read, sizes = os.read, list[int]()

    def count(file: int, size: int) -> bytes:
        data = read(file, size)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(os, "read", count)
    with pytest.raises(UnreadablePicture, match="not a picture"):
        decoding.read(path)
    assert sum(sizes) == most_read


@pytest.mark.parametrize("number", [errno.EIO, errno.ENXIO])
def test_a_fault_in_the_middle_of_a_file_is_not_the_pictures(
    number: int, face_picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENXIO: the disk was removed."""
    read = os.read

    def fail_later(file: int, size: int) -> bytes:
        if os.lseek(file, 0, os.SEEK_CUR) > 0:
            raise OSError(number, os.strerror(number))
        return read(file, min(size, 100))

    monkeypatch.setattr(os, "read", fail_later)
    with pytest.raises(Unfinished):
        read_bytes(face_picture)


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ELOOP, errno.ENXIO])
def test_a_fault_of_the_path_is_the_pictures(
    number: int, face_picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_open(patch, number)
        with pytest.raises(UnreadablePicture):
            read_bytes(face_picture)

"""Output folders on file systems that fail, reject a name or go away."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.naming import make_substitute_name
from image_gender_classifier.outputs.xml_folder import XmlFolder as Folder

FailRename = Callable[[int, int], None]


@pytest.fixture
def fail_rename(monkeypatch: pytest.MonkeyPatch) -> FailRename:
    """Lets renames to `a.xml` fail with an error, a number of times."""

    def fail(number: int, times: int) -> None:
        rename, left = os.replace, [times]

        def failing(source: Path, target: Path) -> None:
            if target.name == "a.xml" and left[0]:
                left[0] -= 1
                raise OSError(number, os.strerror(number))
            rename(source, target)

        monkeypatch.setattr(os, "replace", failing)

    return fail


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# --- errors of the disk and of names --------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOMEM])
def test_an_error_that_passes_costs_no_file_its_name(
    number: int, out: Path, fail_rename: FailRename
) -> None:
    fail_rename(number, 1)
    assert Folder(out).write_file("a.xml", b"data") == "a.xml"
    assert list_files(out) == {"a.xml"}


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOSPC])
def test_an_error_of_the_disk_that_stays_is_an_output_error(
    number: int, out: Path, fail_rename: FailRename
) -> None:
    fail_rename(number, 1_000_000)
    with pytest.raises(OutputError, match=r"a\.xml: cannot be written"):
        Folder(out).write_file("a.xml", b"data")
    assert list_files(out) == set()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EILSEQ, errno.EBUSY, errno.ENOENT])
def test_a_substitute_is_removed_when_the_usual_name_is_accepted(
    number: int, out: Path, fail_rename: FailRename
) -> None:
    folder = Folder(out)
    fail_rename(number, 2)
    assert folder.write_file("a.xml", b"old") == make_substitute_name("a.xml")
    assert list_files(out) == {make_substitute_name("a.xml")}
    assert folder.write_file("a.xml", b"new") == "a.xml"
    assert list_files(out) == {"a.xml"}

"""The file of corrections, which other programs may change or delete while pages are open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.corrections import (
    Correction,
    read_corrections,
    write_corrections,
)
from image_gender_classifier.review.corrections import CorrectionFile

MALE, FEMALE = Correction("male"), Correction("female")


def test_a_file_that_is_deleted_or_moved_is_written_again_with_all_corrections(
    tmp_path: Path,
) -> None:
    path, said = tmp_path / "corrections.csv", list[str]()
    write_corrections(path, {"a.jpg": MALE})
    kept = CorrectionFile(path, said.append)
    kept.change("b.jpg", FEMALE)
    path.rename(tmp_path / "elsewhere.csv")
    assert kept.read() == {"a.jpg": MALE, "b.jpg": FEMALE}
    kept.read()
    (message,) = said
    assert message.startswith(f"{path}: was deleted or moved; the next change")
    assert "all 2 corrections" in message
    assert not path.exists()
    kept.change("a.jpg", None)
    kept.change("c.jpg", MALE)
    assert read_corrections(path) == {"b.jpg": FEMALE, "c.jpg": MALE}
    assert len(said) == 1


def test_another_file_in_its_place_is_read(tmp_path: Path) -> None:
    path, said = tmp_path / "corrections.csv", list[str]()
    write_corrections(path, {"a.jpg": MALE})
    kept = CorrectionFile(path, said.append)
    path.unlink()
    kept.read()
    write_corrections(path, {"b.jpg": FEMALE})
    assert kept.read() == {"b.jpg": FEMALE}
    kept.change("c.jpg", MALE)
    assert read_corrections(path) == {"b.jpg": FEMALE, "c.jpg": MALE}


def test_a_file_that_never_existed_is_not_reported(tmp_path: Path) -> None:
    path, said = tmp_path / "corrections.csv", list[str]()
    kept = CorrectionFile(path, said.append)
    assert kept.read() == {}
    kept.change("a.jpg", MALE)
    kept.change("a.jpg", None)
    path.unlink()
    assert kept.read() == {}
    assert said == []


# An endless link, as an unmounted or faulty disk cannot be made here.
@pytest.mark.parametrize(
    "replace",
    [lambda path: path.symlink_to(path), os.mkfifo, Path.mkdir],
    ids=["link", "pipe", "folder"],
)
def test_a_path_that_cannot_be_read_is_reported_and_tried_again(
    replace: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "corrections.csv"
    write_corrections(path, {"a.jpg": MALE})
    kept = CorrectionFile(path)
    path.rename(tmp_path / "moved.csv")
    replace(path)
    for act in (kept.read, lambda: kept.change("b.jpg", FEMALE)):
        with pytest.raises(UsageError, match=r"corrections\.csv: cannot be read"):
            act()
    path.rename(tmp_path / "other")
    kept.change("b.jpg", FEMALE)
    assert read_corrections(path) == {"a.jpg": MALE, "b.jpg": FEMALE}


def test_corrections_that_another_program_leaves_out_are_reported(tmp_path: Path) -> None:
    """A spreadsheet that was opened earlier saves the table as it was then."""
    path, said = tmp_path / "corrections.csv", list[str]()
    write_corrections(path, {"a.jpg": MALE})
    kept = CorrectionFile(path, said.append)
    earlier = path.read_text()
    kept.change("b.jpg", FEMALE)
    kept.change("c.jpg", FEMALE)
    path.write_text(earlier.replace("male", "female"))
    assert kept.read() == {"a.jpg": FEMALE}
    kept.change("a.jpg", None)
    (message,) = said
    assert message.startswith(f"{path}: another program has removed 2 corrections, such as that of")
    assert "'b.jpg'" in message

"""Tables of true boxes are read whole, or refused with file and row."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_gender_classifier.results import Box
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation.boxes import true_boxes


def write(folder: Path, text: str) -> Path:
    (folder / true_boxes.NAME).write_text(text)
    return folder


def test_boxes_are_read_by_file_name_in_order(tmp_path: Path) -> None:
    write(tmp_path, "file,x,y,width,height,blur\nb.jpg,1.5,2,30,40,0\na.jpg,-3,0,5,6,1\n")
    found = true_boxes.read_true_boxes(tmp_path)
    assert list(found.items()) == [("b.jpg", Box(1.5, 2, 30, 40)), ("a.jpg", Box(-3, 0, 5, 6))]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("file,x,y,width\na.jpg,1,2,3\n", "row 1: 0 columns are named 'height'"),
        ("file,x,y,width,height\na.jpg,1,2,3,wide\n", "row 2: the box is"),
        ("file,x,y,width,height\na.jpg,1,2,3,0\n", "row 2: the box is"),
        ("file,x,y,width,height\na.jpg,nan,2,3,4\n", "row 2: the box is"),
        ("file,x,y,width,height\na.jpg,1,2,inf,4\n", "row 2: the box is"),
        ("file,x,y,width,height\na.jpg,1,2,3,4\na.jpg,1,2,3,4\n", "row 3: 'a.jpg' has a box"),
        (
            "file,x,y,width,height\n../a.jpg,1,2,3,4\n",
            "row 2: file is '../a.jpg', expected a file name",
        ),
        ("file,x,y,width,height\n/etc/passwd,1,2,3,4\n", "row 2: file is '/etc/passwd', expected"),
        ("file,x,y,width,height\n..,1,2,3,4\n", "row 2: file is '..', expected a file name"),
        ("", "the label file is empty"),
    ],
)
def test_an_invalid_row_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        true_boxes.read_true_boxes(write(tmp_path, text))


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=true_boxes.NAME):
        true_boxes.read_true_boxes(tmp_path)

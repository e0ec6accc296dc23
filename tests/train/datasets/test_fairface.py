"""FairFace is read as published, and every flaw is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_gender_classifier.train.datasets import DataError, Reading, read_data_set
from image_gender_classifier.train.datasets.fairface import RACES, label_file_path

HEADER = "file,age,gender,race,service_test\n"
GOOD = ["train/1.jpg,50-59,Male,East Asian,True", "train/2.jpg,70+,Female,Black,False"]


def write_part(
    root: Path, rows: list[str], part: Literal["train", "val"] = "train", header: str = HEADER
) -> Path:
    """Writes a label file and the (empty) pictures 1.jpg and 2.jpg."""
    (root / part).mkdir(exist_ok=True)
    for number in (1, 2):
        (root / part / f"{number}.jpg").touch()
    label_file_path(root, part).write_text(header + "".join(row + "\n" for row in rows), "utf-8")
    return root


def test_reads_samples_with_their_groups(tmp_path: Path) -> None:
    reading = read_data_set("fairface", write_part(tmp_path, GOOD), "train")
    first, second = reading.samples
    assert (first.name, first.path) == ("train/1.jpg", tmp_path / "train" / "1.jpg")
    assert (first.gender, first.groups) == ("male", {"age": "50-59", "race": "East Asian"})
    assert (second.gender, second.groups["age"]) == ("female", "70+")
    assert reading.skipped == ()
    assert reading.summary() == "2 samples (1 female)"


def test_either_label_file_suffices_for_the_split_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fairface_label_train\.csv or "):
        read_data_set("fairface", tmp_path, "all")
    write_part(tmp_path, [row.replace("train/", "val/") for row in GOOD], "val")
    names = ["val/1.jpg", "val/2.jpg"]
    assert [sample.name for sample in read_data_set("fairface", tmp_path, "all").samples] == names
    assert [sample.name for sample in read_data_set("fairface", tmp_path, "val").samples] == names
    with pytest.raises(DataError, match=r"fairface_label_train\.csv"):
        read_data_set("fairface", tmp_path, "train")
    write_part(tmp_path, [GOOD[0], GOOD[0]])
    whole = read_data_set("fairface", tmp_path, "all")
    assert [sample.name for sample in whole.samples] == ["train/1.jpg", *names]
    assert [(part.reason, part.names) for part in whole.skipped] == [
        ("label row repeated", ("train/1.jpg",)),
        ("label missing", ("train/2.jpg",)),
    ]


def test_a_picture_in_both_parts_is_refused(tmp_path: Path) -> None:
    write_part(tmp_path, GOOD)
    write_part(tmp_path, GOOD, "val")
    with pytest.raises(DataError, match=r"'train/1\.jpg' is in both label files"):
        read_data_set("fairface", tmp_path, "all")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("train/2.jpg,20-29,Unknown,Black,x", "row 3: gender is 'Unknown', expected male"),
        ("train/2.jpg,20-29,,Black,x", "row 3: gender is ''"),
        ("train/2.jpg,20,Female,Black,x", "row 3: age is '20', expected one of 0-2, 3-9"),
        ("train/2.jpg,20-29,Female,Elf,x", "row 3: race is 'Elf', expected one of Black"),
        (
            "train/3.jpg,20-29,Female,Black,x",
            "row 3: train/3.jpg does not exist .missing pictures: 1 of 2",
        ),
        ("train,20-29,Female,Black,x", "row 3: train does not exist"),
        (
            "../2.jpg,20-29,Female,Black,x",
            "row 3: picture name '../2.jpg'; expected a path relative",
        ),
        ("train/../../2.jpg,20-29,Female,Black,x", "row 3: picture name"),
        ("/etc/2.jpg,20-29,Female,Black,x", "row 3: picture name '/etc/2.jpg'"),
        ("C:/2.jpg,20-29,Female,Black,x", "row 3: picture name 'C:/2.jpg'"),
        ("train\\2.jpg,20-29,Female,Black,x", "row 3: picture name"),
        (",20-29,Female,Black,x", "row 3: picture name ''"),
        ("train/1.jpg,50-59,Female,East Asian,x", "row 3: .* female, .*, but male, .* in row 2"),
        ("train/1.jpg,20-29,Male,East Asian,x", "row 3: .* has the label .* in row 2"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_data_set("fairface", write_part(tmp_path, [GOOD[0], row]), "train")
    assert "fairface_label_train.csv, row 3" in str(caught.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    write_part(tmp_path, ["train/1.jpg,20-29,x"], header="file,age,sex\n")
    with pytest.raises(
        DataError, match=r"row 1: 0 columns are named 'gender'.*'file', 'age', 'sex'"
    ):
        read_data_set("fairface", tmp_path, "train")


def write_many(root: Path, rows: int, pictures: int) -> Path:
    (root / "train").mkdir()
    for number in range(pictures):
        (root / "train" / f"{number}.jpg").touch()
    lines = (f"train/{n}.jpg,20-29,Male,{RACES[n % 7]},True\n" for n in range(rows))
    label_file_path(root, "train").write_text(HEADER + "".join(lines))
    return root


def test_one_missing_picture_is_an_error_that_names_its_row(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"row 201: train/199\.jpg does not exist .missing pictures: 1 of"
    ):
        read_data_set("fairface", write_many(tmp_path, 200, 199), "train")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(codec="utf-8")),
    st.lists(
        st.tuples(
            st.sampled_from(["train/1.jpg", "train/2.jpg", "1.jpg", "..", "x" * 300, "a/b:c"]),
            st.sampled_from(["0-2", "70+", "7"]),
            st.sampled_from(["Male", "FEMALE", "m", ""]),
            st.sampled_from(["White", '"Indian"', '"']),
        ).map(",".join)
        | st.text(st.characters(codec="utf-8")),
        max_size=3,
    ),
    st.booleans(),
)
def test_any_text_gives_a_reading_or_a_data_error(
    tmp_path: Path, noise: str, rows: list[str], has_header: bool
) -> None:
    write_part(tmp_path, rows, header="file,age,gender,race\n" if has_header else noise)
    try:
        reading = read_data_set("fairface", tmp_path, "train")
    except DataError:
        return
    assert isinstance(reading, Reading)
    assert all(sample.path.is_file() for sample in reading.samples)


def test_the_whole_subset_is_read(shared: Path) -> None:
    train = read_data_set("fairface", shared / "fairface", "train")
    val = read_data_set("fairface", shared / "fairface", "val")
    assert (len(train.samples), len(val.samples)) == (39_982, 2_500)
    assert train.skipped == val.skipped == ()
    assert re.match(r"39,982 samples \(18,831 female\)$", train.summary())

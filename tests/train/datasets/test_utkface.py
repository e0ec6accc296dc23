"""UTKFace keeps its labels in file names, some of which are broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_pictures import touch

from image_gender_classifier.train.datasets import DataError, read_data_set
from image_gender_classifier.train.datasets.age_bands import (
    AGE_BANDS,
    OLDEST_YEARS,
    age_band_from_label,
    age_band_from_years,
)
from image_gender_classifier.train.datasets.utkface import GENDERS, RACES, parse_label

ENDING = "2017010402310242"


def test_reads_pictures_in_all_subfolders_in_a_stable_order(tmp_path: Path) -> None:
    touch(
        tmp_path,
        f"part2/26_0_2_{ENDING}.jpg.chip.jpg",
        f"part1/70_1_4_{ENDING}.PNG",
        f"part1/.26_1_2_{ENDING}.jpg",
        "part1/readme.txt",
    )
    reading = read_data_set("utkface", tmp_path, "all")
    assert [sample.name for sample in reading.samples] == [
        f"70_1_4_{ENDING}.PNG",
        f"26_0_2_{ENDING}.jpg.chip.jpg",
    ]
    assert [sample.gender for sample in reading.samples] == ["female", "male"]
    assert reading.samples[0].groups == {"age": "70+", "race": "Other"}
    assert reading.samples[1].groups == {"age": "20-29", "race": "Asian"}
    assert all(sample.path.is_file() for sample in reading.samples)


def test_a_labelled_name_needs_no_picture_extension(tmp_path: Path) -> None:
    touch(tmp_path, "28_1_2_20170104.jpg.chip", "29_1_2_20170104", "readme", "notes_1_2.txt")
    (tmp_path / "30_1_2_20170104").mkdir()
    touch(tmp_path, *(f"30_1_2_20170104/26_0_2_{number}.jpg" for number in range(100)))
    touch(tmp_path, "holiday.jpg")
    reading = read_data_set("utkface", tmp_path, "all")
    names = [sample.name for sample in reading.samples]
    assert names[:2] == ["28_1_2_20170104.jpg.chip", "29_1_2_20170104"]
    assert len(names) == 102
    assert reading.summary().endswith("skipped: label missing: 1 ('holiday.jpg')")


def test_the_same_name_in_two_folders_is_one_sample(tmp_path: Path) -> None:
    touch(tmp_path, f"a/26_0_2_{ENDING}.jpg", f"b/26_0_2_{ENDING}.jpg")
    reading = read_data_set("utkface", tmp_path, "all")
    assert len(reading.samples) == 1
    assert f"name repeated: 1 ('b/26_0_2_{ENDING}.jpg')" in reading.summary()


@pytest.mark.parametrize(
    "name",
    [
        "39_1_20170116174525125.jpg.chip.jpg",
        "53__0_20170116184028385.jpg",
        "26_2_0_2017.jpg",
        "26_0_5_2017.jpg",
        "200_0_1_2017.jpg",
        "26_0_1_.jpg",
        "-1_0_1_2017.jpg",
        "٢٦_0_1_2017.jpg",
        "alice.jpg",
    ],
)
def test_a_broken_name_has_no_label(name: str) -> None:
    assert parse_label(name) is None


def test_the_extension_may_lack_its_dot() -> None:
    assert parse_label("55_0_0_20170116232725357jpg.chip.jpg") == (55, "male", "White")


def test_a_few_broken_names_are_skipped_and_many_refused(tmp_path: Path) -> None:
    bad = "39_1_20170116174525125.jpg.chip.jpg"
    touch(tmp_path, bad, *(f"26_0_2_{number}.jpg" for number in range(99)))
    reading = read_data_set("utkface", tmp_path, "all")
    assert len(reading.samples) == 99
    assert reading.summary() == f"99 samples (0 female); skipped: label missing: 1 ('{bad}')"
    touch(tmp_path, "61_1_20170109142408075.jpg.chip.jpg")
    with pytest.raises(
        DataError, match=f"{bad}: the file name contains no labels .such files: 2 of 101."
    ):
        read_data_set("utkface", tmp_path, "all")


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match=str(root)):
            read_data_set("utkface", root, "all")


@given(
    st.integers(0, OLDEST_YEARS),
    st.integers(0, 1),
    st.integers(0, 4),
    st.integers(0, 10**17),
    st.text(),
)
def test_a_labelled_name_is_parsed_with_any_ending(
    years: int, gender: int, race: int, date: int, ending: str
) -> None:
    label = parse_label(f"{years}_{gender}_{race}_{date}{ending}")
    assert label == (years, GENDERS[gender], RACES[race])


@given(st.text(st.sampled_from("0123456789_.-jpgx\n٢")) | st.text())
def test_any_name_gives_a_valid_label_or_none(name: str) -> None:
    label = parse_label(name)
    if label is not None:
        assert age_band_from_years(label.years) in AGE_BANDS
        assert name.startswith(tuple("0123456789"))


def test_years_map_to_the_age_bands() -> None:
    for years in range(OLDEST_YEARS + 1):
        low, _, high = age_band_from_years(years).partition("-")
        if high:
            assert int(low) <= years <= int(high)
        else:
            assert years >= 70
    for years in (-1, OLDEST_YEARS + 1):
        with pytest.raises(ValueError, match="expected 0 to"):
            age_band_from_years(years)


def test_both_spellings_of_the_last_age_band_are_equal() -> None:
    assert (
        age_band_from_label("70+") == age_band_from_label("more than 70") == AGE_BANDS[-1] == "70+"
    )

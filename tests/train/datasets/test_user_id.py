"""Pictures named by user ID and a label file with columns of any name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_gender_classifier.train.datasets import DataError, LabelOptions, Reading, read_data_set
from image_gender_classifier.train.datasets.sample import BinaryGender


def reading_of(
    root: Path,
    labels: str,
    id_column: str | None = None,
    gender_column: str | None = None,
    zero_is: BinaryGender | None = None,
) -> Reading:
    """Reads the pictures of users 1 and 2 with these labels."""
    for name in ("1.jpg", "2.png"):
        (root / name).touch()
    path = root / "labels.csv"
    path.write_text(labels, "utf-8")
    return read_data_set(
        "user-id", root, "all", LabelOptions(path, id_column, gender_column, zero_is)
    )


def genders(reading: Reading) -> dict[str, str]:
    return {sample.name: sample.gender for sample in reading.samples}


@pytest.mark.parametrize(
    "labels",
    [
        "user_id,gender\n1,female\n2,male\n",
        "\ufeffUser-ID;Sex\r\n1;F\r\n2;M\r\n",
        '"Label"\t"age"\t"UID"\nFemale\t20\t1\nMALE\t30\t2\n',
        "id,gender,note\n1, f ,\n2,m,x\n",
    ],
)
def test_columns_and_values_are_recognised(tmp_path: Path, labels: str) -> None:
    reading = reading_of(tmp_path, labels)
    assert genders(reading) == {"1": "female", "2": "male"}
    assert [sample.path.name for sample in reading.samples] == ["1.jpg", "2.png"]


def test_columns_can_be_named(tmp_path: Path) -> None:
    labels = "id,gender,who,what\n9,x,1,f\n8,y,2,m\n"
    assert genders(reading_of(tmp_path, labels, "who", "what")) == {"1": "female", "2": "male"}
    with pytest.raises(DataError, match="row 1: 0 columns are named 'Who'"):
        reading_of(tmp_path, labels, "Who", "what")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "user,id,gender",
            "several columns match in the header 'user', 'id', 'gender'; .* --id-column",
        ),
        (
            "name,x,gender",
            "no column matches in the header 'name', 'x', 'gender'; select one with --id-column",
        ),
        ("id,sex,label", "several columns .*with --gender-column"),
        ("id,x,y", "no column .*with --gender-column"),
    ],
)
def test_a_header_that_leaves_doubt_is_refused(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(DataError, match=f"labels.csv, row 1: {message}"):
        reading_of(tmp_path, f"{header}\n1,f,f\n")


def test_digits_need_their_meaning(tmp_path: Path) -> None:
    labels = "id,gender\n1,0\n2,1\n"
    with pytest.raises(DataError, match=r"row 2: gender is '0'; use --zero-is"):
        reading_of(tmp_path, labels)
    assert genders(reading_of(tmp_path, labels, zero_is="female")) == {"1": "female", "2": "male"}
    assert genders(reading_of(tmp_path, labels, zero_is="male")) == {"1": "male", "2": "female"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2,x", "row 3: gender is 'x', expected male, female"),
        ("2,", "row 3: gender is ''"),
        ("2,2", "row 3: gender is '2'"),
        (",f", "row 3: user ID is ''"),
        ("../2,f", "row 3: user ID is '../2'"),
        ("3,f", "row 3: .*3.<extension> does not exist .missing pictures: 1 of 2"),
        ("1,m", "row 3: '1' has the label male, but female in row 2"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        reading_of(tmp_path, f"id,gender\n1,f\n{row}\n")


def test_flaws_are_counted(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.jpg").touch()
    reading = reading_of(tmp_path, "id,gender\n1,f\n1,F\n")
    assert genders(reading) == {"1": "female"}
    assert reading.summary() == (
        "1 sample (1 female); skipped: label row repeated: 1 ('1'); "
        "second picture of a user: 1 ('sub/1.jpg'); label missing: 1 ('2.png')"
    )


def test_one_missing_picture_among_many_is_an_error_that_names_its_row(tmp_path: Path) -> None:
    for number in range(199):
        (tmp_path / f"u{number}.jpg").touch()
    with pytest.raises(DataError, match=r"row 201: .*u199.* does not exist"):
        reading_of(tmp_path, "id,sex\n" + "".join(f"u{n},m\n" for n in range(200)))


def test_accents_match_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "Jose\u0301.jpg").touch()
    assert genders(reading_of(tmp_path, "id,sex\nJos\u00e9,m\n")) == {"Jos\u00e9": "male"}


def test_ids_may_hold_dots(tmp_path: Path) -> None:
    (tmp_path / "j.doe.jpg").touch()
    assert genders(reading_of(tmp_path, "id,sex\nj.doe,m\n")) == {"j.doe": "male"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(codec="utf-8"))
    | st.lists(
        st.sampled_from(["1,f", "2,m", "1,m", "2,0", "3,f", ",", "", "..,f", '"1","f"', '"', "1;f"])
    ).map(lambda rows: "\n".join(["id,gender", *rows])),
    st.sampled_from([None, "male"]),
)
def test_any_text_is_a_reading_or_a_data_error(
    tmp_path: Path, labels: str, zero_is: BinaryGender | None
) -> None:
    try:
        reading = reading_of(tmp_path, labels, zero_is=zero_is)
    except DataError:
        return
    assert reading.samples
    assert all(sample.path.is_file() for sample in reading.samples)

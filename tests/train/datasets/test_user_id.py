"""Pictures named by user ID and a label file with columns of any name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.corrections import Correction, write_corrections
from image_gender_classifier.outputs.picture_content import content_hash
from image_gender_classifier.results import Box
from image_gender_classifier.train.datasets import DataError, LabelOptions, Reading, read_data_set
from image_gender_classifier.train.datasets.genders import add_words
from image_gender_classifier.train.datasets.sample import BinaryGender


def reading_of(
    root: Path,
    labels: str,
    id_column: str | None = None,
    gender_column: str | None = None,
    zero_is: BinaryGender | None = None,
    **limits: Any,
) -> Reading:
    """Reads the pictures of users 1 and 2 with these labels."""
    for name in ("1.jpg", "2.png"):
        (root / name).touch()
    path = root / "labels.csv"
    path.write_text(labels, "utf-8")
    return read_data_set(
        "user-id", root, "all", LabelOptions(path, id_column, gender_column, zero_is, **limits)
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
def test_an_ambiguous_header_is_refused(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(DataError, match=f"labels.csv, row 1: {message}"):
        reading_of(tmp_path, f"{header}\n1,f,f\n")


def test_labels_0_and_1_require_an_option(tmp_path: Path) -> None:
    labels = "id,gender\n1,0\n2,1\n"
    with pytest.raises(DataError, match=r"row 2: gender is '0'; use --zero-is"):
        reading_of(tmp_path, labels)
    assert genders(reading_of(tmp_path, labels, zero_is="female")) == {"1": "female", "2": "male"}
    assert genders(reading_of(tmp_path, labels, zero_is="male")) == {"1": "male", "2": "female"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2,x", "row 3: gender is 'x', expected female"),
        ("2,", "row 3: gender is ''"),
        ("2,2", "row 3: gender is '2'"),
        (",f", "row 3: the user ID is empty"),
        ("../2,f", "row 3: .*2.<extension> does not exist"),
        ("3,f", "row 3: .*3.<extension> does not exist .*: 1 of 2; none are allowed"),
        ("moved/3.JPG,f", r"row 3: \S*moved.3\.JPG does not exist"),
        ("1,m", "row 3: '1.jpg' has the label male, but female in row 2"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        reading_of(tmp_path, f"id,gender\n1,f\n{row}\n", strict=True)


def test_a_few_gaps_are_reported_and_skipped(tmp_path: Path) -> None:
    for number in range(3, 40):
        (tmp_path / f"{number}.jpg").touch()
    rows = ["1,Woman", "2,", "3,n/a", "4,x", ",f", "gone,m", *(f"{n},M" for n in range(5, 39))]
    labels = "id,gender\n" + "\n".join(rows) + "\n"
    with pytest.raises(DataError, match=r"row 3: gender is ''.*: 5 of 40; 10% are allowed"):
        reading_of(tmp_path, labels)
    reading = reading_of(tmp_path, labels, max_missing=0.13)
    assert (len(reading.samples), reading.samples[0].gender) == (35, "female")
    assert {items.reason: items.names for items in reading.skipped} == {
        "row without a gender": ("2 in row 3", "3 in row 4"),
        "gender not understood": ("x in row 5",),
        "row without a user ID": ("in row 6",),
        "picture missing": ("gone in row 7",),
        "label missing": ("39.jpg",),
    }


def test_strict_refuses_pictures_without_a_label(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2\.png has no label .such pictures: 1"):
        reading_of(tmp_path, "id,gender\n1,f\n", strict=True)


def test_words_of_other_languages_can_be_added(tmp_path: Path) -> None:
    labels = "id;sexo\n1;MUJER\n2;H\n3;m\n"
    (tmp_path / "3.jpg").touch()
    (tmp_path / "labels.csv").write_text(labels)
    words = add_words(["Mujer", "m"], ["hombre", "h"])
    options = LabelOptions(tmp_path / "labels.csv", gender_column="sexo")
    reading_of(tmp_path, "id,gender\n1,f\n")
    (tmp_path / "labels.csv").write_text(labels)
    reading = read_data_set("user-id", tmp_path, "all", options, words=words)
    assert genders(reading) == {"1": "female", "2": "male", "3": "female"}
    with pytest.raises(UsageError, match="both contain 'x'"):
        add_words(["x"], ["y", "X"])


def test_corrections_of_a_review_are_labels(tmp_path: Path) -> None:
    """Names as the review writes them, boxes, hashes, and pictures that have changed since."""
    names = ("1.jpg", "deep/1.jpg", "=x.jpg", "100%25.jpg", "old.jpg", "rocket.jpg", "dim.jpg")
    (tmp_path / "deep").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    hashed = {name: content_hash(name.encode()) for name in names}
    corrections = {
        "1.jpg": Correction("female", (1, 2, 30, 40), hashed["1.jpg"]),
        "deep/1.jpg": Correction("male", None, hashed["deep/1.jpg"]),
        "=x.jpg": Correction("male"),
        "100%25.jpg": Correction("female"),
        "old.jpg": Correction("male", None, "sha256:0123456789abcdef"),
        "rocket.jpg": Correction("no_face"),
        "dim.jpg": Correction("unknown"),
    }
    path = tmp_path / "corrections.csv"
    write_corrections(path, corrections)
    options = LabelOptions(path, max_missing=0.5)
    reading = read_data_set("user-id", tmp_path, "all", options)
    assert {sample.name: (sample.gender, sample.box) for sample in reading.samples} == {
        "1": ("female", Box(1, 2, 30, 40)),
        "deep/1.jpg": ("male", None),
        "=x": ("male", None),
        "100%25": ("female", None),
    }
    assert {items.reason: items.names for items in reading.skipped} == {
        "picture changed": ("old.jpg in row 7",),
        "reviewed as unknown or no face": ("dim.jpg", "rocket.jpg"),
    }


def test_an_invalid_box_is_named(tmp_path: Path) -> None:
    labels = "file,gender,x,y,width,height\n1.jpg,f,,,,\n2.png,m,1,2,x,4\n"
    with pytest.raises(DataError, match="row 3: the box is 1, 2, x, 4"):
        reading_of(tmp_path, labels)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("file,gender,picture", "image:0123"),
        ("file,gender,picture", "SHA256:0123456789ABCDEF"),
        ("file,gender,x,y,width,height,picture", "0123456789abcdef"),
    ],
)
def test_a_damaged_hash_is_named(tmp_path: Path, header: str, value: str) -> None:
    boxes = "," * (header.count(",") - 2)
    labels = f"{header}\n1.jpg,f,{boxes}\n2.png,m,{boxes}{value}\n"
    with pytest.raises(DataError, match=f"labels.csv, row 3: picture is '{value}'; it must be as"):
        reading_of(tmp_path, labels)


def test_a_column_of_pictures_need_not_have_hashes(tmp_path: Path) -> None:
    assert genders(reading_of(tmp_path, "id,gender,picture\n1,f,1.jpg\n")) == {"1": "female"}


def test_repeated_and_unlabelled_pictures_are_reported(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.jpg").touch()
    reading = reading_of(tmp_path, "id,gender\n1,f\n1,F\n")
    assert genders(reading) == {"1": "female"}
    assert reading.summary() == (
        "1 sample (1 female); skipped: label row repeated: 1 ('1.jpg'); "
        "second picture of a user: 1 ('sub/1.jpg'); label missing: 1 ('2.png')"
    )


def test_accents_match_in_every_unicode_form(tmp_path: Path) -> None:
    (tmp_path / "Jose\u0301.jpg").touch()
    assert genders(reading_of(tmp_path, "id,sex\nJos\u00e9,m\n")) == {"Jos\u00e9": "male"}


def test_ids_may_contain_dots(tmp_path: Path) -> None:
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
def test_any_text_gives_a_reading_or_a_data_error(
    tmp_path: Path, labels: str, zero_is: BinaryGender | None
) -> None:
    try:
        reading = reading_of(tmp_path, labels, zero_is=zero_is)
    except DataError:
        return
    assert reading.samples
    assert all(sample.path.is_file() for sample in reading.samples)

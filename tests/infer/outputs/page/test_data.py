"""The data files of the page: JavaScript that cannot end early or carry names as code."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sample_prediction import PREDICTION

from image_gender_classifier.outputs.corrections import Correction
from image_gender_classifier.outputs.escaping import unescape_name
from image_gender_classifier.outputs.page.data import (
    PageItem,
    PageSettings,
    encode_data,
    encode_xml_chunk,
    find_face,
)
from image_gender_classifier.results import Prediction

HASH = "sha256:0123456789abcdef"
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>&'\"\\/\r\n\u2028\udcff"),
    min_size=1,
)


def parse(data: bytes) -> dict[str, Any]:
    text = data.decode("ascii")
    found: dict[str, Any] = json.loads(
        text.removeprefix('"use strict";\nconst REVIEW = ').removesuffix(";\n")
    )
    return found


@given(TEXT, TEXT)
def test_any_name_and_message_come_back(name: str, message: str) -> None:
    prediction = Prediction(name, "unreadable", "unknown", message=message)
    data = encode_data([PageItem(prediction)], PageSettings(name), {})
    assert b"<" not in data
    assert data.count(b"\n") == 2
    (row,) = parse(data)["items"]
    assert unescape_name(row[0]) == name


@given(TEXT)
def test_any_xml_is_one_line_of_ascii(text: str) -> None:
    data = encode_xml_chunk(3, [text])
    assert data.isascii()
    assert b"<" not in data
    assert json.loads(data.removeprefix(b"receiveXml(3,").removesuffix(b");\n")) == [text]


def test_corrections_name_pictures_and_faces_by_their_places() -> None:
    items = [PageItem(Prediction("0.jpg", "no_face", "unknown")), PageItem(PREDICTION, 9, 9, HASH)]
    box = (5, 6, 7, 8)
    for correction, expected in (
        (Correction("male", box), [[1, "male", 1]]),
        (Correction("male", box, HASH), [[1, "male", 1]]),
        (Correction("male", box, HASH.replace("0", "f")), []),
        (Correction("no_face"), [[1, "no_face", 0]]),
    ):
        data = encode_data(items, PageSettings("t"), {PREDICTION.file: correction})
        assert parse(data)["corrections"] == expected
    data = encode_data(items, PageSettings("t"), {"x.jpg": Correction("male")})
    assert parse(data)["csvOthers"] == [["x.jpg", "x.jpg,male,,,,,\n"]]


def test_the_correction_of_a_changed_picture_is_not_shown_but_kept() -> None:
    """The picture that a person saw may have another name now."""
    item = PageItem(replace(PREDICTION, file="50%41.jpg"), 9, 9, HASH)
    correction = Correction("no_face", None, HASH.replace("0", "f"))
    data = parse(encode_data([item], PageSettings("t"), {"50%41.jpg": correction}))
    row = f"50%2541.jpg,no_face,,,,,{correction.picture}\n"
    assert (data["corrections"], data["csvOthers"]) == ([], [["50%2541.jpg", row]])


def test_a_correction_of_any_picture_of_its_name_keeps_the_thumbnail() -> None:
    settings, items = PageSettings("t"), [PageItem(PREDICTION, 9, 9, HASH)]
    (row,) = parse(encode_data(items, settings, {PREDICTION.file: Correction("male")}))["items"]
    assert row[6] == HASH


def test_a_correction_of_version_0_2_0_has_the_hash_of_the_file() -> None:
    item = PageItem(PREDICTION, 9, 9, "image:" + "0" * 22, file_hash=HASH)
    data = parse(
        encode_data([item], PageSettings("t"), {PREDICTION.file: Correction("male", None, HASH)})
    )
    assert data["corrections"] == [[0, "male", 0]]
    (row,) = data["items"]
    assert (row[6], row[9:]) == (item.picture, [0, HASH])


def test_the_main_face_stands_for_an_unknown_one() -> None:
    assert find_face(PREDICTION, Correction("male", (5, 6, 7, 8))) == 1
    assert find_face(PREDICTION, Correction("male", (5, 7, 8, 8))) == 1  # moved since
    assert find_face(PREDICTION, Correction("male", (9, 9, 9, 9))) == 0
    assert find_face(Prediction("a", "no_face", "unknown"), Correction("male")) == -1

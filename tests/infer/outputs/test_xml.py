from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.escaping import escape_name, escape_text, unescape_name
from image_gender_classifier.results import Box, Face, Prediction

CheckXml = Callable[[bytes], Any]
PredictionStrategy = st.SearchStrategy[Prediction]

ALICE = Prediction(
    "alice.jpg",
    "classified",
    "female",
    0.98345,
    (
        Face(Box(79.6, 64.4, 120.0, 119.7), "lbp", "female", 0.98345, 0.94751, 0.98345),
        Face(Box(-3.2, 8, 30, 30), "lbp"),
        Face(Box(3, 4, 50, 50), "cnn", score=0.6, turn=270),
    ),
    run="3f9c1a3f9c1a",
    p_female=0.98345,
)
ALICE_XML = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<image id="alice" file="alice.jpg" gender="female" confidence="0.983" female="0.983" status="classified" run="3f9c1a3f9c1a">
  <face x="80" y="64" width="120" height="120" gender="female" confidence="0.983" female="0.983" detector="lbp" score="0.948"/>
  <face x="-3" y="8" width="30" height="30" detector="lbp"/>
  <face x="3" y="4" width="50" height="50" detector="cnn" score="0.600" turn="270"/>
</image>
"""  # noqa: E501


def round_prediction(prediction: Prediction) -> Prediction:
    """Returns a prediction rounded and escaped as in all outputs."""

    def round_face(face: Face) -> Face:
        box = Box(*map(round, face.box))
        confidence, score = decimals(face.confidence), decimals(face.score)
        p_female = decimals(face.p_female)
        return face._replace(box=box, confidence=confidence, score=score, p_female=p_female)

    def decimals(confidence: float | None) -> float | None:
        return None if confidence is None else round(confidence, 3)

    return replace(
        prediction,
        file=unescape_name(escape_name(prediction.file)),
        confidence=decimals(prediction.confidence),
        faces=tuple(map(round_face, prediction.faces)),
        message=None if prediction.message is None else escape_text(prediction.message),
        p_female=decimals(prediction.p_female),
    )


def test_the_documented_example(check_xml: CheckXml) -> None:
    assert xml.encode_prediction(ALICE) == ALICE_XML
    check_xml(ALICE_XML)


def test_without_faces_the_element_is_empty(check_xml: CheckXml) -> None:
    data = xml.encode_prediction(Prediction("sub/a.jpg", "no_face", "unknown", run="0" * 12))
    assert data.decode().splitlines()[1:] == [
        '<image id="a" file="sub/a.jpg" gender="unknown" status="no_face" run="000000000000"/>'
    ]
    check_xml(data)


@given(data=st.data())
def test_any_prediction_is_valid_xml_and_decoded_unchanged(
    predictions: PredictionStrategy, check_xml: CheckXml, data: st.DataObject
) -> None:
    prediction = data.draw(predictions)
    written = xml.encode_prediction(prediction)
    root = check_xml(written)
    read = xml.decode_prediction(written)
    assert xml.encode_prediction(read) == written
    expected = round_prediction(prediction)
    assert math.isclose(read.confidence or 0, expected.confidence or 0, abs_tol=0.001)
    assert replace(read, confidence=None, faces=()) == replace(expected, confidence=None, faces=())
    assert [face.box for face in read.faces] == [face.box for face in expected.faces]
    assert [face.gender for face in read.faces] == [face.gender for face in expected.faces]
    assert root.get("file") == escape_name(prediction.file)


@pytest.mark.parametrize(
    ("file", "file_attribute", "id_attribute"),
    [
        ("a\x01b.jpg", "a%01b.jpg", "a%01b"),
        ("a\udcffb.jpg", "a%FFb.jpg", "a%FFb"),
        ("a\udce4\udcb8.jpg", "a%E4%B8.jpg", "a%E4%B8"),
        ("\ufffe.jpg", "%EF%BF%BE.jpg", "%EF%BF%BE"),
        ("\ud800.jpg", "%ED%A0%80.jpg", "%ED%A0%80"),  # valid on Windows
        ("100%.jpg", "100%.jpg", "100%"),
        ("a%FF.jpg", "a%25FF.jpg", "a%25FF"),
        ("a%%\udcff%4\x01.jpg", "a%%%FF%4%01.jpg", "a%%%FF%4%01"),
        ("a\tb\r\nc .jpg", "a\tb\r\nc .jpg", "a\tb\r\nc "),
        ("😀 <&>'\".jpg", "😀 <&>'\".jpg", "😀 <&>'\""),
        ("sub.d/.png", "sub.d/.png", ".png"),
        *((f"a{special}b.jpg", f"a{special}b.jpg", f"a{special}b") for special in "&<>\"'\t\n\r"),
    ],
)
def test_names_in_the_xml(
    file: str, file_attribute: str, id_attribute: str, check_xml: CheckXml
) -> None:
    root = check_xml(xml.encode_prediction(replace(ALICE, file=file)))
    assert (root.get("file"), root.get("id")) == (file_attribute, id_attribute)


def test_other_elements_are_ignored() -> None:
    nested = ALICE_XML.replace(b"<face", b"<other><face").replace(b"/>", b"/></other>")
    beside = ALICE_XML.replace(b"<face", b"<other/><face")
    expected = xml.decode_prediction(ALICE_XML)
    assert xml.decode_prediction(nested) == replace(expected, faces=())
    assert xml.decode_prediction(beside) == expected


def test_a_truncated_file_is_not_decoded() -> None:
    for length in range(len(ALICE_XML.rstrip())):
        with pytest.raises(ValueError, match="not the XML file of a prediction"):
            xml.decode_prediction(ALICE_XML[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"<svg/>",
        b"text",
        b'<?xml version="1.0" encoding="UTF-99"?><image/>',
        ALICE_XML.replace(b'x="80"', b'x="left"'),
        *(ALICE_XML.replace(b'x="80"', b'x="%s"' % text) for text in (b"inf", b"nan", b"1e99")),
        ALICE_XML.replace(b"?>", b'?><!DOCTYPE image [<!ENTITY a "b">]>'),
        ALICE_XML.replace(b"<image", b"<q:image").replace(b"</image", b"</q:image"),
        ALICE_XML.replace(b'"female"', b'"woman"'),
        ALICE_XML.replace(b'"classified"', b'"sure"'),
        ALICE_XML.replace(b' run="3f9c1a3f9c1a"', b""),
    ],
)
def test_other_xml_files_are_not_decoded(data: bytes) -> None:
    with pytest.raises(ValueError):
        xml.decode_prediction(data)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b'gender="female"', b'gender="woman"'),
        (b'status="classified"', b'status="sure"'),
        (b'confidence="0.983"', b'confidence="0.4"'),
        (b'female="0.983"', b'female="1.1"'),
        (b'run="3f9c1a3f9c1a"', b'run="3F9C"'),
        (b' detector="lbp"', b""),
        (b' id="alice"', b""),
        (b'width="120"', b'width="-1"'),
        (b"<face", b"<head"),
    ],
)
def test_the_schema_rejects_invalid_files(right: bytes, wrong: bytes, check_xml: CheckXml) -> None:
    assert right in ALICE_XML
    with pytest.raises(Exception, match=r"(?i)element|attribute"):
        check_xml(ALICE_XML.replace(right, wrong))

"""Names as outputs write them: any two differ, and each can be found again."""

from __future__ import annotations

import os
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.outputs.escaping import name_of_text, name_text, printable

RAW_NAMES = st.binary(min_size=1, max_size=40)
PARTS = [b"%", b"F", b"2", b"5", b"\xff", b"\x01", b"\xc3\xa4", b"z"]
NAMES = (RAW_NAMES | st.lists(st.sampled_from(PARTS)).map(b"".join)).map(os.fsdecode)


@given(NAMES)
def test_every_name_comes_back(name: str) -> None:
    text = name_text(name)
    assert printable(text) == text
    assert name_of_text(text) == name
    assert os.fsdecode(unquote_to_bytes(text)) == name  # as docs/xml.md has it


@given(NAMES, NAMES)
def test_two_names_never_give_the_same_text(one: str, other: str) -> None:
    assert (name_text(one) == name_text(other)) == (one == other)


@pytest.mark.parametrize("name", ["alice.jpg", "100%.jpg", "50 % off.jpg", "é.jpg", "😀.jpg"])
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert name_text(name) == name


def test_a_percent_sign_before_two_digits_is_escaped() -> None:
    assert name_text("a%FF.jpg") == "a%25FF.jpg"
    assert name_text(os.fsdecode(b"a\xff.jpg")) == "a%FF.jpg"

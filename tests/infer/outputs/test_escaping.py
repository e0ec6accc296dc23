"""Escaped names are unique and can be unescaped."""

from __future__ import annotations

import os
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.outputs.escaping import escape_name, escape_text, unescape_name

RAW_NAMES = st.binary(min_size=1, max_size=40)
PARTS = [b"%", b"F", b"2", b"5", b"\xff", b"\x01", b"\xc3\xa4", b"z"]
NAMES = (RAW_NAMES | st.lists(st.sampled_from(PARTS)).map(b"".join)).map(os.fsdecode)


@given(NAMES)
def test_unescaping_is_the_inverse(name: str) -> None:
    text = escape_name(name)
    assert escape_text(text) == text
    assert unescape_name(text) == name
    assert os.fsdecode(unquote_to_bytes(text)) == name  # as docs/xml.md documents it


@given(NAMES, NAMES)
def test_two_names_never_have_the_same_escaped_form(one: str, other: str) -> None:
    assert (escape_name(one) == escape_name(other)) == (one == other)


@pytest.mark.parametrize("name", ["alice.jpg", "100%.jpg", "50 % off.jpg", "é.jpg", "😀.jpg"])
def test_ordinary_names_are_not_escaped(name: str) -> None:
    assert escape_name(name) == name


def test_a_percent_sign_before_two_digits_is_escaped() -> None:
    assert escape_name("a%FF.jpg") == "a%25FF.jpg"
    assert escape_name(os.fsdecode(b"a\xff.jpg")) == "a%FF.jpg"

"""Names of the XML files of one folder on Linux."""

from __future__ import annotations

import os
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xml_names import make_xml_names

# Names as Linux allows them; short ones of few parts, which clash often; and very long ones.
RAW_NAMES = st.binary(min_size=1, max_size=255).filter(lambda name: not {0, ord("/")} & set(name))
CLASHING = st.lists(st.sampled_from(["a", "b", ".", ".jpg", ".png", ".xml"]), min_size=1)
LONG = st.builds("{}{}.{}".format, st.just("ä" * 124), st.text("xy", max_size=2), st.just("jp"))
NAMES = (
    (RAW_NAMES.map(os.fsdecode) | CLASHING.map("".join) | LONG)
    .filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) <= 255)
)  # fmt: skip


@given(st.lists(NAMES, unique=True))
def test_xml_names_are_distinct_and_possible(names: list[str]) -> None:
    given_names = make_xml_names(names)
    assert len(given_names) == len(names)
    assert len(set(given_names)) == len(names)
    for name in given_names:
        assert "/" not in name
        assert name.endswith(".xml")
        assert len(os.fsencode(name)) <= 255


@given(st.lists(NAMES, unique=True), st.randoms(use_true_random=False))
def test_xml_names_do_not_depend_on_order(names: list[str], chance: random.Random) -> None:
    shuffled = chance.sample(names, len(names))
    assert dict(zip(names, make_xml_names(names), strict=True)) == dict(
        zip(shuffled, make_xml_names(shuffled), strict=True)
    )


@given(NAMES)
def test_a_picture_alone_gives_its_xml_its_id(name: str) -> None:
    (xml,) = make_xml_names([name])
    if len(os.fsencode(name)) <= 251:
        assert xml == f"{os.path.splitext(name)[0]}.xml"
    assert xml == make_xml_names([name])[0]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.jpg"], ["a.xml"]),
        (["a.b.jpg"], ["a.b.xml"]),
        ([".jpg"], [".jpg.xml"]),
        (["a.jpg", "a.png"], ["a.jpg.xml", "a.png.xml"]),
        (["a", "a.png"], ["a.xml", "a.png.xml"]),
        (["a.jpg", "a.png", "b.jpg"], ["a.jpg.xml", "a.png.xml", "b.xml"]),
        (["a.jpg", "a.png", "a.jpg.gif"], ["a.jpg.xml", "a.png.xml", "a.jpg.gif.xml"]),
        (["a.JPG", "A.jpg"], ["a.xml", "A.xml"]),
        (["é.jpg"], ["é.xml"]),
    ],
)
def test_xml_names(names: list[str], expected: list[str]) -> None:
    assert make_xml_names(names) == expected


def test_a_name_too_long_for_xml_is_shortened_with_a_hash() -> None:
    first, second = make_xml_names(["n" * 252 + "1.j", "n" * 252 + "2.j"])
    assert first != second
    assert first.startswith("n" * 200) and len(first) == 255
    assert make_xml_names(["n" * 251 + ".jpg"]) == ["n" * 251 + ".xml"]


@pytest.mark.parametrize("start", ["", "n"])
def test_a_long_name_is_cut_between_characters(start: str) -> None:
    """With and without a first letter, one of the limits falls into a two-byte character."""
    (xml,) = make_xml_names([start + "é" * 127])
    assert re.fullmatch(rf"{start}é{{100,}}~[0-9a-f]{{8}}\.xml", xml)
    assert len(xml.encode()) in (254, 255)


def test_a_name_that_looks_like_another_ones_shortened_form() -> None:
    long = "x" * 252 + ".jpg"
    (short,) = make_xml_names([long])
    names = [long, short.removesuffix(".xml") + ".bmp"]
    assert len(set(make_xml_names(names))) == 2


def test_an_extension_that_looks_like_a_name_kept_for_a_clash() -> None:
    names = ["a.jpg", "a.png", "a.jpg.gif"]
    assert make_xml_names(names) == ["a.jpg.xml", "a.png.xml", "a.jpg.gif.xml"]

"""Names of output files under the rules of other file systems."""

from __future__ import annotations

import hashlib
import os
import random
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from xml_names import make_xml_names

from image_gender_classifier.outputs.naming import (
    LINUX_RULES,
    NameRules,
    collision_key,
    make_folder_names,
    make_substitute_name,
    may_be_substitute,
)

EXFAT = NameRules(folds=True, windows=True, utf8=True)
RULES = st.builds(NameRules, st.sampled_from([64, 143, 255]), *[st.booleans()] * 3)
RAW_NAMES = st.binary(min_size=1, max_size=255).filter(lambda name: not {0, ord("/")} & set(name))
# Few parts, for frequent collisions: in case, in Unicode normalisation, with escaped characters.
PARTS = ["k", "K", "\u212a", "é", "e\u0301", "É", "ß", "SS", "ı", "I", "\u200d", ":", "%3A", "%"]
PARTS += ["con", "COM1", ".", " ", "\udcff", ".jpg", ".JPG", ".xml", "~", "n" * 140]
NAMES = (
    RAW_NAMES.map(os.fsdecode) | st.lists(st.sampled_from(PARTS), min_size=1).map("".join)
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) <= 255)
FORBIDDEN = re.compile('[\x00-\x1f"*:<>?\\\\|]|[ .]$')
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def equivalent_forms(name: str) -> list[str]:
    """Returns forms of a name. Names that are the same file on Windows, ext4 or macOS share one."""
    decomposed = unicodedata.normalize("NFD", name)
    return [
        "".join(char.upper() if len(char.upper()) == 1 else char for char in name),
        name.lower(),
        unicodedata.normalize("NFC", name),
        decomposed.casefold(),
        decomposed.replace("\u200d", ""),
    ]


def is_accepted(name: str, rules: NameRules) -> bool:
    if len(os.fsencode(name)) > rules.longest:
        return False
    if rules.windows and (FORBIDDEN.search(name) or DEVICE.match(name)):
        return False
    return not rules.utf8 or "\udcff" not in name


@given(st.lists(NAMES, unique=True), RULES)
def test_names_are_accepted_and_unique_under_all_rules(names: list[str], rules: NameRules) -> None:
    for given_names in (make_xml_names(names, rules), [*make_folder_names(names, rules).values()]):
        assert len(set(given_names)) == len(names)
        assert all(is_accepted(name, rules) and "/" not in name for name in given_names)
        if rules.folds:
            for forms in zip(*map(equivalent_forms, given_names), strict=True):
                assert len(set(forms)) == len(names)


@given(st.lists(NAMES, unique=True), RULES, st.randoms(use_true_random=False))
def test_names_do_not_depend_on_order(
    names: list[str], rules: NameRules, chance: random.Random
) -> None:
    shuffled = chance.sample(names, len(names))
    assert dict(zip(names, make_xml_names(names, rules), strict=True)) == dict(
        zip(shuffled, make_xml_names(shuffled, rules), strict=True)
    )
    assert make_folder_names(names, rules) == make_folder_names(shuffled, rules)


@given(st.lists(st.from_regex(r"[a-z0-9 _()-]{1,40}\.(jpg|png)", fullmatch=True), unique=True))
def test_ordinary_names_are_the_same_under_all_rules(names: list[str]) -> None:
    names = [name for name in names if not DEVICE.match(name)]
    assert make_xml_names(names, EXFAT) == make_xml_names(names)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["photo 12:30:45.jpg"], ["photo 12%3A30%3A45.xml"]),
        (["con.jpg", "Nul.x.jpg", "console.jpg"], ["%63on.xml", "%4Eul.x.xml", "console.xml"]),
        (['a"b<c>d|e?f*g\\h\x01.jpg'], ["a%22b%3Cc%3Ed%7Ce%3Ff%2Ag%5Ch%01.xml"]),
        ([os.fsdecode(b"a\xff\xe4.jpg")], ["a%FF%E4.xml"]),
        (["a:.jpg", "a%3A.png"], ["a%3A.jpg.xml", "a%3A.png.xml"]),
        (["Kim.jpg", "kim.png"], ["Kim.jpg.xml", "kim.png.xml"]),
        (["Kim.jpg", "tim.jpg"], ["Kim.xml", "tim.xml"]),
    ],
)
def test_names_on_exfat(names: list[str], expected: list[str]) -> None:
    assert make_xml_names(names, EXFAT) == expected


def test_names_that_differ_only_in_case_or_normalisation_get_a_hash() -> None:
    for names in (["Kim.jpg", "kim.jpg"], ["\u00e9.jpg", "e\u0301.jpg"]):
        given_names = make_xml_names(names, EXFAT)
        for name, xml in zip(names, given_names, strict=True):
            digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
            assert xml == f"{name}~{digest}.xml"
        assert make_xml_names(names) == [name.replace(".jpg", ".xml") for name in names]


def test_names_of_folders() -> None:
    assert make_folder_names(["a: b", "aux", "c.", "d"], EXFAT) == {
        "a: b": "a%3A b",
        "aux": "%61ux",
        "c.": "c%2E",
        "d": "d",
    }
    assert make_folder_names(["a: b", "aux", "c.", "A", "a"], LINUX_RULES) == {
        name: name for name in ("a: b", "aux", "c.", "A", "a")
    }
    both = make_folder_names(["A", "a"], EXFAT)
    assert len({name.lower() for name in both.values()}) == 2


def test_taken_names_are_not_used() -> None:
    assert make_xml_names(["a.jpg", "b.jpg"], taken={"a.xml"}) == ["a.jpg.xml", "b.xml"]
    taken = {collision_key("A.xml", EXFAT), collision_key("A.JPG.xml", EXFAT)}
    (name,) = make_xml_names(["a.jpg"], EXFAT, taken)
    assert name.startswith("a.jpg~")


def test_the_limit_of_ecryptfs() -> None:
    limited = NameRules(longest=143)
    (short, long), plain = (
        make_xml_names(["a.jpg", "n" * 200 + ".jpg"], limited),
        "n" * 139 + ".jpg",
    )
    assert short == "a.xml"
    assert len(long) == 143 and re.fullmatch(r"n+~[0-9a-f]{8}\.xml", long)
    assert make_xml_names([plain], limited) == ["n" * 139 + ".xml"]
    folders = make_folder_names(["m" * 200, "m" * 199 + "x"], limited)
    assert all(len(name) <= 143 for name in folders.values()) and len(set(folders.values())) == 2


def test_names_crafted_with_the_same_hash_are_distinguished() -> None:
    seen: dict[str, str] = {}
    for number in range(1_000_000):
        # Too long and without an extension: hashed at every level.
        name = "n" * 247 + f"{number:08x}"
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        if digest in seen:
            break
        seen[digest] = name
    assert len(set(make_xml_names([name, seen[digest]]))) == 2


@given(NAMES)
@example("...")
def test_no_output_has_the_name_of_a_substitute(name: str) -> None:
    other = make_substitute_name(f"sub/{name}.xml")
    assert is_accepted(other, NameRules(64, True, True, True))
    assert "/" not in other and other.endswith(".xml")
    assert other != make_substitute_name(f"{name}.xml")
    picture = other.removesuffix(".xml") + ".jpg"
    assert make_xml_names([picture]) == [f"{picture}.xml"]
    assert make_folder_names([other], LINUX_RULES)[other] != other


@given(NAMES, st.sampled_from([".xml", ".jpg~", ".", ""]))
def test_substitute_names_are_recognised(name: str, suffix: str) -> None:
    assert may_be_substitute(make_substitute_name(f"sub/{name}{suffix}"))

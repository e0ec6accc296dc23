from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.manifest.cache_key import cache_key, run_hash


def test_the_hash_stays_what_it_was() -> None:
    # A change would make every resumed run of every user start anew.
    assert cache_key("a", 1) == cache_key("a", "1")
    assert run_hash(b"picture", cache_key("a", 1)) == "0c428f84b758"


@given(st.binary(), st.binary())
def test_other_bytes_have_another_hash(first: bytes, second: bytes) -> None:
    assert (run_hash(first, "s") == run_hash(second, "s")) == (first == second)


@given(st.lists(st.text(st.characters(exclude_characters="\0"))), st.lists(st.text("ab,")))
def test_other_settings_have_another_key(first: list[str], second: list[str]) -> None:
    same = "\0".join(first) == "\0".join(second)
    assert (cache_key(*first) == cache_key(*second)) == same


def test_settings_and_picture_both_count() -> None:
    hashes = {run_hash(data, settings) for data in (b"", b"a", b"a ") for settings in ("", "x")}
    assert len(hashes) == 6
    assert run_hash(memoryview(b"a"), "x") == run_hash(b"a", "x")
    assert run_hash(b"b", "x", prefix=b"a") == run_hash(b"ab", "x")


def test_any_text_has_a_key() -> None:
    assert cache_key("\ud800") != cache_key("")

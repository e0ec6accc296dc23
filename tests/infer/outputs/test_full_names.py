from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.outputs.full_names import make_full_names
from image_gender_classifier.outputs.naming import LINUX_RULES, NameRules, collision_key

EXFAT = NameRules(255, folds=True, windows=True, utf8=True)
letters = st.sampled_from("aAéß.:\u200d%~ \udcff3")
names = st.text(letters, min_size=1, max_size=8) | st.text("aé", min_size=240, max_size=252)


def test_names_stay_where_they_are_accepted() -> None:
    given_names = ["a.jpg", "a.png", "b", "\udcff.jpg", "Kim.jpg", "kim.jpg", "con.jpg"]
    assert make_full_names(given_names, LINUX_RULES) == given_names
    odd = ["con.jpg", "a:b.jpg", "c."]
    assert make_full_names(odd, EXFAT) == ["%63on.jpg", "a%3Ab.jpg", "c%2E"]


def test_a_hash_precedes_the_extension() -> None:
    (long,) = make_full_names(["n" * 251 + ".jpg"], LINUX_RULES)
    assert len(long) == 251 and long.endswith(".jpg") and "~" in long
    one, other = make_full_names(["Kim.jpg", "kim.JPG"], EXFAT)
    assert one.startswith("Kim~") and one.endswith(".jpg")
    assert other.startswith("kim~") and other.endswith(".JPG")


@given(
    drawn=st.lists(names.filter(lambda name: name not in (".", "..")), unique=True, max_size=8),
    rules=st.sampled_from([LINUX_RULES, EXFAT, NameRules(64)]),
)
def test_names_are_unique_and_leave_room_for_a_suffix(drawn: list[str], rules: NameRules) -> None:
    full = make_full_names(drawn, rules)
    assert len({collision_key(f"{name}.xmp", rules) for name in full}) == len(drawn)
    assert all(len(name.encode("utf-8", "surrogateescape")) + 4 <= rules.longest for name in full)

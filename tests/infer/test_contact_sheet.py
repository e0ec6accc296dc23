"""The page of doubtful pictures is whole HTML, whatever they are called."""

from __future__ import annotations

from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from image_gender_classifier.contact_sheet import FOOT, HEAD, piece
from image_gender_classifier.verdict import NO_DRAWINGS, Drawings, Verdict
from image_gender_classifier.xml import printable

UNCERTAIN = Verdict("a.jpg", "uncertain", "unknown", 0.61)


def test_only_what_was_drawn_small_is_on_it() -> None:
    assert piece(UNCERTAIN, NO_DRAWINGS) == ""
    assert piece(UNCERTAIN, Drawings(copy=b"large")) == ""


@given(data=st.data())
def test_each_picture_stands_on_it_with_its_name(
    data: st.DataObject, verdicts: st.SearchStrategy[Verdict]
) -> None:
    shown = data.draw(st.lists(st.tuples(verdicts, st.binary(min_size=1, max_size=99)), max_size=5))
    page = (
        HEAD + "".join(piece(verdict, Drawings(thumbnail=jpeg)) for verdict, jpeg in shown) + FOOT
    )
    figures = html.fromstring(page).findall(".//figure")
    assert len(figures) == len(shown)
    for figure, (verdict, jpeg) in zip(figures, shown, strict=True):
        source = figure.find("img").get("src")
        assert b64decode(source.removeprefix("data:image/jpeg;base64,"), validate=True) == jpeg
        caption = figure.find("figcaption").text_content()
        assert verdict.status.replace("_", " ") in caption
        plain = "".join(c for c in printable(verdict.file) if c.isalnum() and c.isascii())
        assert plain in "".join(c for c in caption if c.isalnum() and c.isascii())


def test_says_how_sure_it_was() -> None:
    drawings = Drawings(thumbnail=b"jpeg")
    assert "uncertain (0.610)" in piece(UNCERTAIN, drawings)
    assert "no face<" in piece(UNCERTAIN._replace(status="no_face", confidence=None), drawings)

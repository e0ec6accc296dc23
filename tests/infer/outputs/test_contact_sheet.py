"""The page of doubtful pictures is whole HTML, whatever they are called."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from image_gender_classifier.outputs.contact_sheet import FOOT, HEAD, piece
from image_gender_classifier.outputs.xml import printable
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction

UNCERTAIN = Prediction("a.jpg", "uncertain", "unknown", 0.61)


def test_only_what_was_drawn_small_is_on_it() -> None:
    assert piece(UNCERTAIN, NO_DRAWINGS) == ""
    assert piece(UNCERTAIN, Drawings(copy=b"large")) == ""


@given(data=st.data())
def test_each_picture_stands_on_it_with_its_name(
    data: st.DataObject, predictions: st.SearchStrategy[Prediction]
) -> None:
    shown = data.draw(
        st.lists(st.tuples(predictions, st.binary(min_size=1, max_size=99)), max_size=5)
    )
    page = (
        HEAD
        + "".join(piece(prediction, Drawings(thumbnail=jpeg)) for prediction, jpeg in shown)
        + FOOT
    )
    figures = html.fromstring(page).findall(".//figure")
    assert len(figures) == len(shown)
    for figure, (prediction, jpeg) in zip(figures, shown, strict=True):
        source = figure.find("img").get("src")
        assert b64decode(source.removeprefix("data:image/jpeg;base64,"), validate=True) == jpeg
        caption = figure.find("figcaption").text_content()
        assert prediction.status.replace("_", " ") in caption
        plain = "".join(c for c in printable(prediction.file) if c.isalnum() and c.isascii())
        assert plain in "".join(c for c in caption if c.isalnum() and c.isascii())


def test_says_how_sure_it_was() -> None:
    drawings = Drawings(thumbnail=b"jpeg")
    assert "uncertain (0.610)" in piece(UNCERTAIN, drawings)
    assert "no face<" in piece(replace(UNCERTAIN, status="no_face", confidence=None), drawings)

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.results import Drawings, Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.workers import messages
from image_gender_classifier.workers.messages import (
    Classified,
    Failed,
    Fork,
    Job,
    Lines,
    Message,
    Ready,
    Task,
    Warned,
)

# Paths may hold bytes that are no UTF-8, which Python gives as lone surrogates.
TEXTS = st.text(st.characters(exclude_categories=()))
NUMBERS = st.integers(0, 10**9)
SHARES = st.none() | st.floats(0, 1)
SECONDS = st.dictionaries(TEXTS, st.floats(0, 1e6), max_size=3)
MESSAGES = st.one_of(
    st.builds(
        Task,
        st.builds(Settings, model=st.none() | TEXTS, threshold=SHARES, min_face=SHARES),
        NUMBERS,
        *[st.booleans()] * 3,
    ),
    st.builds(Job, NUMBERS, TEXTS, TEXTS),
    st.builds(Ready, TEXTS, SECONDS),
    st.builds(Warned, TEXTS),
    st.builds(Failed, TEXTS, TEXTS),
    st.builds(Fork),
)


def same_after(message: Message) -> bool:
    line = messages.encode(message)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    read = messages.decode(line)
    return type(read) is type(message) and read == message


@given(MESSAGES)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    assert same_after(message)


@given(st.data())
def test_a_verdict_arrives_as_it_was_sent(
    predictions: st.SearchStrategy[Prediction], data: st.DataObject
) -> None:
    drawn = st.none() | st.binary()
    drawings = st.builds(Drawings, drawn, drawn)
    assert same_after(data.draw(st.builds(Classified, NUMBERS, predictions, drawings, SECONDS)))


@pytest.mark.parametrize(
    "sent",
    [
        *(b"", b"text", b"1", b"{}", b"[]", b'["Nothing", 1]', b'["Job"]', b'["Hire", 1]'),
        *(b'["Judged", 1, [], [], {}]', b'["Ready", "key", 1]', b'["Ready", "key", {"a": "b"}]'),
        *(json.dumps(["Task", None, 1]).encode(), b'["Ready", "key", {"a": 1', b"\xff"),
    ],
)
def test_anything_else_is_no_message(sent: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        messages.decode(sent)


@given(st.lists(MESSAGES, max_size=5), st.data())
def test_messages_are_put_together_from_pieces(sent: list[Message], data: st.DataObject) -> None:
    line = b"".join(map(messages.encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=6)))
    lines = Lines()
    pieces = [line[start:end] for start, end in zip([0, *cuts], [*cuts, len(line)], strict=True)]
    assert [message for piece in pieces for message in lines.take(piece)] == sent


def test_a_line_that_is_no_message_is_refused() -> None:
    lines = Lines()
    assert lines.take(b"no mess") == []
    with pytest.raises(ValueError, match="not a message"):
        lines.take(b"age\n")

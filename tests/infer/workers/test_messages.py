from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.results import Drawings, Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.workers import messages
from image_gender_classifier.workers.messages import (
    Classified,
    Ended,
    Failed,
    Forked,
    ForkFailed,
    Frames,
    Job,
    Message,
    Ready,
    Replace,
    Started,
    Task,
    Unusable,
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
        *[st.booleans()] * 4,
    ),
    st.builds(Job, NUMBERS, TEXTS, TEXTS),
    st.builds(Replace),
    st.builds(Warned, TEXTS),
    st.builds(Unusable, TEXTS, TEXTS),
    st.builds(Ready, TEXTS, SECONDS),
    st.builds(Forked, NUMBERS, NUMBERS),
    st.builds(ForkFailed, NUMBERS, TEXTS),
    st.builds(Ended, NUMBERS, NUMBERS),
    st.builds(Started),
    st.builds(Failed, NUMBERS, TEXTS),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
)
KINDS = st.sampled_from([kind.__name__ for kind in get_args(Message)])
CLASSIFIED = ["Classified", 1, ["a", "no_face", "unknown", None, [], "", None], [None, None], {}]
FACE = [[1, 2, 3, 4], "lbp", "female", 0.9]


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def same_after(message: Message) -> bool:
    (read,) = Frames().take(messages.encode(message))
    return type(read) is type(message) and read == message


@given(MESSAGES)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    assert same_after(message)


@given(st.data())
def test_a_prediction_arrives_as_it_was_sent(
    predictions: st.SearchStrategy[Prediction], data: st.DataObject
) -> None:
    drawn = st.none() | st.binary()
    drawings = st.builds(Drawings, drawn, drawn)
    assert same_after(data.draw(st.builds(Classified, NUMBERS, predictions, drawings, SECONDS)))


@given(st.lists(MESSAGES, max_size=5), st.data())
def test_messages_are_put_together_from_pieces(sent: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(messages.encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    frames = Frames()
    pieces = [
        stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    ]
    assert [message for piece in pieces for message in frames.take(piece)] == sent


@given(KINDS, ANY_JSON)
def test_wrongly_typed_fields_are_no_message(kind: str, fields: Any) -> None:
    sent = json.dumps([kind, *fields] if isinstance(fields, list) else [kind, fields])
    try:
        (read,) = Frames().take(framed(sent.encode()))
    except ValueError:
        return
    assert messages.encode(read)  # what is accepted is a whole message


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_a_value_error(sent: bytes) -> None:
    for data in (sent, framed(sent)):
        try:
            Frames().take(data)
        except ValueError:
            continue


def changed(*path: int, to: Any) -> bytes:
    """A prediction's message with one field changed."""
    message = json.loads(json.dumps(CLASSIFIED))
    message[2][4] = [json.loads(json.dumps(FACE))]
    inner = message
    for place in path[:-1]:
        inner = inner[place]
    inner[path[-1]] = to
    return json.dumps(message).encode()


def test_the_unchanged_message_is_one() -> None:
    assert isinstance(messages.decode(changed(1, to=1)), Classified)


@pytest.mark.parametrize(
    "sent",
    [
        *(b"", b"text", b"1", b"{}", b"[]", b"\xff", b"null", b'["Nothing", 1]', b"[[], 1]"),
        *(b'["Job"]', b'["Job", 1, "a"]', b'["Job", "1", "a", "b"]', b'["Job", -1, "a", "b"]'),
        *(b'["Job", true, "a", "b"]', b'["Ready", "key", 1]', b'["Ready", "key", {"a": "b"}]'),
        *(b'["Ready", "key", {"a": NaN}]', b'["Warned", null]', b'["Started", 1]', b"[{}, 1]"),
        *(b'["Task", null, 1]', b'["Ended", 1, 1e9]', b'["Job", ' + b"9" * 5000 + b', "a", "b"]'),
        b"[" * 10**6,
        b'["Warned", ' + b"[" * 10**5 + b"]" * 10**5 + b"]",
        changed(1, to="1"),
        changed(2, to=[]),
        changed(2, 0, to=None),
        changed(2, 1, to="fine"),
        changed(2, 2, to="other"),
        changed(2, 3, to="0.9"),
        changed(2, 3, to=float("inf")),
        changed(2, 4, to=None),
        changed(2, 4, 0, to={}),
        changed(2, 4, 0, 0, to=[1, 2, 3]),
        changed(2, 4, 0, 0, 2, to=float("nan")),
        changed(2, 4, 0, 0, 2, to=10**400),
        changed(2, 4, 0, 1, to=7),
        changed(2, 4, 0, 2, to="other"),
        changed(2, 5, to=None),
        changed(2, 6, to=1),
        changed(3, to=["not base64!", None]),
        changed(3, 0, to=1),
        changed(4, to=[]),
    ],
)
def test_anything_else_is_no_message(sent: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        Frames().take(framed(sent))


def test_too_long_a_message_is_refused_before_it_arrives() -> None:
    with pytest.raises(ValueError, match="not a message"):
        Frames().take(b"\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="bytes"):
        messages.encode(Warned("x" * messages.MOST_BYTES))

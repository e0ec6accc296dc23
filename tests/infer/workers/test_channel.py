from __future__ import annotations

import json
import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.results import Drawings, Prediction, Preview, Stored
from image_gender_classifier.settings import Settings
from image_gender_classifier.workers import channel
from image_gender_classifier.workers.channel import Channel
from image_gender_classifier.workers.messages import (
    Answer,
    Ended,
    Fork,
    ForkFailed,
    Job,
    Message,
    Ready,
    Started,
    Task,
    Unusable,
)

# Python represents bytes of paths that are not UTF-8 as lone surrogates.
TEXTS = st.text(st.characters(exclude_categories=()))
NUMBERS = st.integers(0, 10**9)
SHARES = st.none() | st.floats(0, 1)
WORKERS = st.lists(NUMBERS, max_size=4).map(tuple)
TIMES = st.floats(0, 1e6)
SECONDS = st.dictionaries(TEXTS, TIMES, max_size=3)
DRAWN = st.none() | st.binary(max_size=99)
STORED = st.none() | st.builds(Stored, NUMBERS, NUMBERS, NUMBERS)
PREVIEWS = st.none() | st.builds(
    Preview, TEXTS, NUMBERS, NUMBERS, st.binary(max_size=99), st.none() | TEXTS
)
DRAWINGS = st.builds(Drawings, DRAWN, PREVIEWS, STORED)
MESSAGES = st.one_of(
    st.builds(
        Task,
        st.builds(
            Settings,
            model=st.none() | TEXTS,
            threshold=SHARES,
            min_face=SHARES,
            max_pixels=st.none() | NUMBERS,
            max_bytes=NUMBERS,
        ),
        NUMBERS,
        st.floats(0, 1e6),
        *[st.booleans()] * 5,
        NUMBERS,
        st.booleans(),
    ),
    st.builds(Job, NUMBERS, TEXTS, TEXTS, TIMES, NUMBERS),
    st.builds(Unusable, TEXTS, TEXTS),
    st.builds(Ready, TEXTS, SECONDS, TEXTS, st.lists(TEXTS, max_size=2).map(tuple), TIMES),
    st.builds(Fork, WORKERS),
    st.builds(ForkFailed, WORKERS, TEXTS),
    st.builds(Ended, NUMBERS, NUMBERS),
    st.builds(Started),
    st.builds(
        Answer,
        NUMBERS,
        st.none(),
        st.none() | TEXTS,
        DRAWINGS,
        SECONDS,
        TIMES,
        st.booleans(),
        PREVIEWS,
    ),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
)
KINDS = st.sampled_from([kind.__name__ for kind in get_args(Message)])
ANSWER = [
    "Answer",
    1,
    ["a", "no_face", "unknown", None, [], "", None, None],
    None,
    [None, None, None],
    {},
    0.1,
    False,
    None,
]
FACE = [[1, 2, 3, 4], "lbp", "female", 0.9, None, 0.9, 0]


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def taken(data: bytes) -> list[Message]:
    """Returns the messages that a new channel reads from some bytes."""
    return list(Channel(-1, -1).split_messages(data))


def unframed(data: bytes) -> list[bytes]:
    """Returns the complete messages of a stream, without their length prefixes."""
    messages = []
    while len(data) >= 4 + (length := int.from_bytes(data[:4], "big")) >= 4 <= len(data):
        messages.append(data[4 : 4 + length])
        data = data[4 + length :]
    return messages


def same_after(message: Message) -> bool:
    (read,) = taken(channel.encode(message))
    return type(read) is type(message) and read == message


@given(MESSAGES)
def test_a_message_is_received_unchanged(message: Message) -> None:
    assert same_after(message)


@given(st.data())
def test_a_prediction_is_received_unchanged(
    predictions: st.SearchStrategy[Prediction], data: st.DataObject
) -> None:
    assert same_after(
        data.draw(
            st.builds(
                Answer,
                *(NUMBERS, predictions, st.none(), DRAWINGS, SECONDS, TIMES, st.booleans()),
                PREVIEWS,
            )
        )
    )


@given(st.lists(MESSAGES, max_size=5), st.data())
def test_messages_are_assembled_from_chunks(sent: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(channel.encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    whole = Channel(-1, -1)
    pieces = [
        stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    ]
    assert [message for piece in pieces for message in whole.split_messages(piece)] == sent


@given(KINDS, ANY_JSON)
def test_fields_of_the_wrong_type_are_rejected(kind: str, fields: Any) -> None:
    sent = json.dumps([kind, *fields] if isinstance(fields, list) else [kind, fields])
    try:
        (read,) = taken(framed(sent.encode()))
    except ValueError:
        return
    assert channel.encode(read)  # an accepted message can be encoded


@given(st.binary(max_size=200) | MESSAGES.map(lambda sent: channel.encode(sent)[4:]))
def test_any_bytes_are_messages_or_a_value_error(sent: bytes) -> None:
    for data in (sent, framed(sent)):
        try:
            read = taken(data)
        except ValueError:
            continue
        whole = b"".join(framed(json.dumps(json.loads(each)).encode()) for each in unframed(data))
        assert b"".join(map(channel.encode, read)) == whole


def ready(seconds: Any, text: Any = "model") -> bytes:
    return json.dumps(["Ready", "key", seconds, text, [], 0.5]).encode()


def changed(*path: int, to: Any) -> bytes:
    """Returns the message of a prediction with one field changed."""
    message = json.loads(json.dumps(ANSWER))
    message[2][4] = [json.loads(json.dumps(FACE))]
    inner = message
    for place in path[:-1]:
        inner = inner[place]
    inner[path[-1]] = to
    return json.dumps(message).encode()


def test_the_unchanged_messages_are_valid() -> None:
    assert isinstance(channel.decode(ready({"a": 1})), Ready)
    assert isinstance(channel.decode(changed(1, to=1)), Answer)


@pytest.mark.parametrize(
    "sent",
    [
        *(b"", b"text", b"1", b"{}", b"[]", b"\xff", b"null", b'["Nothing", 1]', b"[[], 1]"),
        *(
            b'["Job"]',
            b'["Job", 1, "a"]',
            b'["Job", "1", "a", "b", 1, 0]',
            b'["Job", 1, "a", "b", 1, -1]',
            b'["Job", -1, "a", "b", 1, 0]',
        ),
        *(
            b'["Job", true, "a", "b", 1, 0]',
            b'["Unusable", "a", null]',
            b'["Fork", [-1]]',
            b'["Fork", 1]',
        ),
        *(ready(1), ready({"a": "b"}), ready({"a": math.nan}), ready({}, text=1), b"[{}, 1]"),
        *(b'["Started", 1]', b'["Started", []]', b'["Task", null, 1]', b'["Ended", 1, 1e9]'),
        b'["Job", ' + b"9" * 5000 + b', "a", "b", 1, 0]',
        b"[" * 10**6,
        b'["Unusable", "a", ' + b"[" * 10**5 + b"]" * 10**5 + b"]",
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
        changed(3, to=1),
        changed(4, to=["not base64!", None]),
        changed(4, 0, to=1),
        changed(5, to=[]),
        changed(8, to=["", 0, 0, "not base64!", None]),
        changed(8, to=["", -1, 0, "", None]),
    ],
)
def test_anything_else_is_rejected(sent: bytes) -> None:
    with pytest.raises(ValueError, match="invalid message"):
        taken(framed(sent))


def test_a_message_that_is_too_long_is_rejected_before_it_is_received() -> None:
    with pytest.raises(ValueError, match="invalid message"):
        taken(b"\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="bytes"):
        channel.encode(Unusable("x" * channel.MOST_BYTES, ""))

"""Encodes, sends, receives and validates messages: a length in four bytes, then a JSON array.

Workers decode untrusted files, so their messages are untrusted. They are JSON, because pickles can
run code, and every field is validated against its annotation in `messages`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, cast, get_args, get_origin

from image_gender_classifier.results import Prediction
from image_gender_classifier.workers.messages import Message

MOST_BYTES = 2**24  # of a message: room for two large drawings
LENGTH = 4  # bytes of the length before each message
_PIECE = 2**16  # bytes; glibc takes 10 µs to allocate 128 KiB or more
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Message)}


def encode(message: Message) -> bytes:
    """Encodes a message: its length (big-endian), then a JSON array of its class name and fields.

    The JSON is ASCII, because paths may contain lone surrogates.

    Raises:
        ValueError: The message is longer than `MOST_BYTES`.
    """
    data = _json((type(message).__name__, *message)).encode("ascii")
    if len(data) > MOST_BYTES:
        raise ValueError(f"a message has {len(data):,} bytes; at most {MOST_BYTES:,} are allowed")
    return len(data).to_bytes(LENGTH, "big") + data


def decode(data: bytes) -> Message:
    """Decodes and validates a message.

    Args:
        data: The JSON array, without the length.

    Raises:
        ValueError: `data` is not a valid message.
    """
    try:
        name, *fields = json.loads(data.decode("ascii"))
        return cast(Message, _make_check(_KINDS[name])(fields))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"invalid message: {type(error).__name__}") from None


class Channel:
    """The ends of two pipes through which a process exchanges messages with another process.

    Args:
        source: File descriptor to receive messages from.
        sink: File descriptor to send messages to.

    Attributes:
        source: See Args.
        sink: See Args.
    """

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self.sink = sink
        self._received = bytearray()  # the start of an incomplete message

    def close(self) -> None:
        """Closes this process's ends of both pipes."""
        os.close(self.source)
        os.close(self.sink)

    def send(self, data: bytes) -> None:
        """Writes encoded messages to the pipe; blocks while the pipe is full.

        Raises:
            BrokenPipeError: The other end is closed.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.sink, rest) :]

    def receive(self) -> Iterator[Message] | None:
        """Reads from the pipe once; waits for data unless `source` is non-blocking.

        Returns:
            The messages that are now complete, an iterator that may fail (see `split_messages`);
            None if the other end is closed or, when non-blocking, nothing has arrived.
        """
        try:
            piece = os.read(self.source, _PIECE)
        except BlockingIOError:
            return None
        return self.split_messages(piece) if piece else None

    def split_messages(self, piece: bytes) -> Iterator[Message]:
        """Yields the messages that received bytes complete; keeps the rest for the next call.

        Args:
            piece: The bytes, as read from the pipe.

        Raises:
            ValueError: A message is invalid or longer than `MOST_BYTES`.
        """
        received = self._received
        received += piece
        while len(received) >= LENGTH:
            length = int.from_bytes(received[:LENGTH], "big")
            if length > MOST_BYTES:
                raise ValueError(f"invalid message: {length:,} bytes")
            end = LENGTH + length
            if len(received) < end:
                break
            data = bytes(received[LENGTH:end])
            del received[:end]
            yield decode(data)


def _to_json_value(value: Any) -> Any:
    """Converts a prediction to a list, bytes to base64, and a NumPy number to a Python number."""
    if isinstance(value, Prediction):
        return list(vars(value).values())
    if isinstance(value, bytes):
        from base64 import b64encode  # late, as below: few runs draw pictures

        return b64encode(value).decode("ascii")
    return value.item()


_json = json.JSONEncoder(default=_to_json_value).encode

Check = Callable[[Any], Any]
"""Converts a JSON value to the type of a field; raises ValueError or TypeError if it is invalid."""


@cache
def _make_check(kind: Any) -> Check:
    """Returns the function that validates and converts the JSON values of a type.

    Args:
        kind: A class with annotated fields, such as a message, or the annotation of a field: a
            type in `_PLAIN`, `Literal[...]`, `tuple[X, ...]`, `Mapping[X, Y]` or `X | None`.
    """
    of, inner = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if of is Literal:
        return lambda value: inner[inner.index(value)]
    if of is tuple:
        item = _make_check(inner[0])
        return lambda value: tuple(map(item, _require_type(list, value)))
    if of is Mapping:
        key, item = map(_make_check, inner)
        return lambda value: {key(k): item(v) for k, v in _require_type(dict, value).items()}
    if inner:  # X | None
        check = _make_check(inner[0])
        return lambda value: None if value is None else check(value)
    checks = [_make_check(field) for field in kind.__annotations__.values()]

    def record(value: Any) -> Any:
        fields = zip(checks, _require_type(list, value), strict=True)
        return kind(*[check(field) for check, field in fields])

    return record


def _require_type(kind: type, value: Any) -> Any:
    if type(value) is not kind:  # isinstance would accept True as a number
        raise TypeError
    return value


def _check_count(value: Any) -> int:
    if not 0 <= _require_type(int, value) < 2**63:
        raise ValueError
    return int(value)


def _check_number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e300:  # also rejects NaN
        raise ValueError
    return float(value)


def _decode_base64(value: Any) -> bytes:
    from base64 import b64decode

    return b64decode(_require_type(str, value), validate=True)


_PLAIN: dict[Any, Check] = {
    str: lambda value: _require_type(str, value),
    bool: lambda value: _require_type(bool, value),
    int: _check_count,
    float: _check_number,
    bytes: _decode_base64,
}

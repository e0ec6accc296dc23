"""How messages travel: a JSON array each, behind its length in four bytes.

JSON and not pickles: a worker decodes files from strangers, and nothing that it sends may run code.
Every field is checked against its type.
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
_PIECE = 2**18  # bytes
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Message)}


def encode(message: Message) -> bytes:
    """Gives a message's bytes; paths may hold lone surrogates, so the JSON is plain ASCII.

    Raises:
        ValueError: It is too long.
    """
    data = _json((type(message).__name__, *message)).encode("ascii")
    if len(data) > MOST_BYTES:
        raise ValueError(f"a message of {len(data):,} bytes")
    return len(data).to_bytes(LENGTH, "big") + data


def decode(data: bytes) -> Message:
    """Reads a message without its length.

    Raises:
        ValueError: It is not a message.
    """
    try:
        name, *fields = json.loads(data.decode("ascii"))
        return cast(Message, _check_of(_KINDS[name])(fields))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"not a message: {type(error).__name__}") from None


class Channel:
    """Two pipes: one that messages come from, one that messages go to."""

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self.sink = sink
        self.forget()

    def close(self) -> None:
        """Closes both pipes."""
        os.close(self.source)
        os.close(self.sink)

    def forget(self) -> None:
        """Forgets half a message."""
        self._begun = bytearray()

    def send(self, data: bytes) -> None:
        """Sends encoded messages."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.sink, rest) :]

    def receive(self) -> Iterator[Message] | None:
        """Gives what `take` does; None if nothing has arrived, or the pipe has ended."""
        try:
            piece = os.read(self.source, _PIECE)
        except BlockingIOError:
            return None
        return self.take(piece) if piece else None

    def take(self, piece: bytes) -> Iterator[Message]:
        """Gives the messages that a piece completes.

        Raises:
            ValueError: It holds something else, or announces too long a message.
        """
        begun = self._begun
        begun += piece
        while len(begun) >= LENGTH:
            length = int.from_bytes(begun[:LENGTH], "big")
            if length > MOST_BYTES:
                raise ValueError(f"not a message: {length:,} bytes")
            end = LENGTH + length
            if len(begun) < end:
                break
            data = bytes(begun[LENGTH:end])
            del begun[:end]
            yield decode(data)


def _plain(value: Any) -> Any:
    """What JSON has no type for: predictions, bytes, and numbers of NumPy."""
    if isinstance(value, Prediction):
        return list(vars(value).values())
    if isinstance(value, bytes):
        from base64 import b64encode  # late, as below: few runs draw

        return b64encode(value).decode("ascii")
    return value.item()


_json = json.JSONEncoder(default=_plain).encode

Check = Callable[[Any], Any]
"""Returns a field as its type; raises ValueError or TypeError for any other value."""


@cache
def _check_of(kind: Any) -> Check:
    """Makes the check of a type: a record, a container, an optional, a literal or a plain type."""
    of, inner = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if of is Literal:
        return lambda value: inner[inner.index(value)]
    if of is tuple:
        item = _check_of(inner[0])
        return lambda value: tuple(map(item, _exactly(list, value)))
    if of is Mapping:
        key, item = map(_check_of, inner)
        return lambda value: {key(k): item(v) for k, v in _exactly(dict, value).items()}
    if inner:  # X | None
        check = _check_of(inner[0])
        return lambda value: None if value is None else check(value)
    checks = [_check_of(field) for field in kind.__annotations__.values()]

    def record(value: Any) -> Any:
        fields = zip(checks, _exactly(list, value), strict=True)
        return kind(*[check(field) for check, field in fields])

    return record


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:  # True is no number
        raise TypeError
    return value


def _count(value: Any) -> int:
    if not 0 <= _exactly(int, value) < 2**63:
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e300:  # NaN is not either
        raise ValueError
    return float(value)


def _jpeg(value: Any) -> bytes:
    from base64 import b64decode

    return b64decode(_exactly(str, value), validate=True)


_PLAIN: dict[Any, Check] = {
    str: lambda value: _exactly(str, value),
    bool: lambda value: _exactly(bool, value),
    int: _count,
    float: _number,
    bytes: _jpeg,
}

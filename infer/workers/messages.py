"""The messages between the command and its worker processes, and how they travel.

Each is a JSON array behind its length in four bytes. JSON and not pickles: a worker decodes files
from strangers, and nothing that it sends may run code. Every field is checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from image_gender_classifier.results import (
    NO_DRAWINGS,
    Box,
    Drawings,
    Face,
    Gender,
    Prediction,
    Status,
)
from image_gender_classifier.settings import Settings
from image_gender_classifier.system.profiling import NO_SECONDS

MOST_BYTES = 2**24  # of a message: room for two large drawings
_LENGTH = 4  # bytes of the length before each message


class Task(NamedTuple):
    """What the workers are started with.

    Attributes:
        settings: The classifier's settings.
        workers: How many workers.
        copies: Draw a copy of every picture.
        thumbnails: Draw a small copy of each doubtful picture.
        profile: Measure the time of each stage.
        debug: Leave standard error open and print tracebacks to it.
    """

    settings: Settings
    workers: int
    copies: bool = False
    thumbnails: bool = False
    profile: bool = False
    debug: bool = False


class Job(NamedTuple):
    """A picture to classify: its number, its path, and its name in the prediction."""

    number: int
    path: str
    file: str


class Replace(NamedTuple):
    """The command has read all that an ended worker had sent; its replacement may start."""


class Warned(NamedTuple):
    """A warning for the user."""

    text: str


class Unusable(NamedTuple):
    """No picture can be classified: the name of the error's class, and its text."""

    error: str
    text: str


class Ready(NamedTuple):
    """The libraries and the models are loaded.

    Attributes:
        cache_key: The key of everything but the picture that a prediction depends on.
        seconds: The seconds of each stage.
        model: The runtime and the model file, for the log.
    """

    cache_key: str
    seconds: Mapping[str, float] = NO_SECONDS
    model: str = ""


class Forked(NamedTuple):
    """A worker was forked: its place among the workers, and its process."""

    worker: int
    process: int


class ForkFailed(NamedTuple):
    """The system refused to fork more workers: how many there are, and its reason."""

    workers: int
    why: str


class Ended(NamedTuple):
    """A worker has ended: its place among the workers, and its status as `os.wait` gives it."""

    worker: int
    status: int


class Started(NamedTuple):
    """The first message of a worker: it runs."""


class Classified(NamedTuple):
    """A prediction.

    Attributes:
        number: The picture's.
        prediction: The prediction.
        drawings: The copies drawn of the picture.
        seconds: The seconds of each stage since the worker's last message.
    """

    number: int
    prediction: Prediction
    drawings: Drawings = NO_DRAWINGS
    seconds: Mapping[str, float] = NO_SECONDS


class Failed(NamedTuple):
    """A picture met an internal error: its number, and the exception in one line."""

    number: int
    error: str


Message = (
    Task | Job | Replace | Warned | Unusable | Ready | Forked | ForkFailed | Ended | Started
    | Classified | Failed
)  # fmt: skip


def encode(message: Message) -> bytes:
    """Gives a message's bytes; paths may hold lone surrogates, so the JSON is plain ASCII.

    Raises:
        ValueError: It is too long.
    """
    data = json.dumps([type(message).__name__, *message], default=_plain).encode("ascii")
    if len(data) > MOST_BYTES:
        raise ValueError(f"a message of {len(data):,} bytes")
    return len(data).to_bytes(_LENGTH, "big") + data


def decode(data: bytes) -> Message:
    """Reads a message without its length.

    Raises:
        ValueError: It is not a message.
    """
    try:
        name, *fields = _array(json.loads(data))
        kind, checks = _SCHEMA[name]
        message: Message = kind(*_checked(fields, *checks))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"not a message: {type(error).__name__}") from None
    return message


class Frames:
    """Splits the bytes from a pipe into messages."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def take(self, piece: bytes) -> list[Message]:
        """Returns the messages that a piece completes.

        Raises:
            ValueError: It holds something else, or announces too long a message.
        """
        begun = self._begun
        begun += piece
        messages = []
        while len(begun) >= _LENGTH:
            length = int.from_bytes(begun[:_LENGTH], "big")
            if length > MOST_BYTES:
                raise ValueError(f"not a message: {length:,} bytes")
            end = _LENGTH + length
            if len(begun) < end:
                break
            messages.append(decode(bytes(begun[_LENGTH:end])))
            del begun[:end]
        return messages


def _plain(value: Any) -> Any:
    """What JSON has no type for: predictions, bytes, and numbers of NumPy."""
    if isinstance(value, Prediction):
        return list(vars(value).values())
    if isinstance(value, bytes):
        from base64 import b64encode  # late, as below: few runs draw

        return b64encode(value).decode("ascii")
    return value.item()


Check = Callable[[Any], Any]
"""Returns a field as its type; raises ValueError or TypeError for any other value."""


def _array(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError
    return value


def _checked(values: Any, *checks: Check) -> list[Any]:
    return [check(value) for check, value in zip(checks, _array(values), strict=True)]


def _of_type(*types: type) -> Check:
    def check(value: Any) -> Any:
        if type(value) not in types:
            raise TypeError
        return value

    return check


_text, _flag, _whole = _of_type(str), _of_type(bool), _of_type(int)


def _count(value: Any) -> int:
    if not 0 <= _whole(value) < 2**63:
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e300:  # NaN is not either
        raise ValueError
    return float(value)


def _optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _one_of(literal: Any) -> Check:
    known = get_args(literal)

    def check(value: Any) -> Any:
        if _text(value) not in known:
            raise ValueError
        return value

    return check


def _seconds(value: Any) -> dict[str, float]:
    if type(value) is not dict:
        raise TypeError
    return {stage: _number(seconds) for stage, seconds in value.items()}


def _jpeg(value: Any) -> bytes:
    from base64 import b64decode

    return b64decode(_text(value), validate=True)


def _face(value: Any) -> Face:
    box, *others = _checked(value, _box, _text, _optional(_gender), *[_optional(_number)] * 2)
    return Face(box, *others)


def _box(value: Any) -> Box:
    return Box(*_checked(value, *[_number] * 4))


def _faces(value: Any) -> tuple[Face, ...]:
    return tuple(map(_face, _array(value)))


def _prediction(value: Any) -> Prediction:
    return Prediction(*_checked(value, *_PREDICTION))


def _drawings(value: Any) -> Drawings:
    return Drawings(*_checked(value, *[_optional(_jpeg)] * 2))


def _settings(value: Any) -> Settings:
    return Settings(*_checked(value, *_SETTINGS))


_gender = _one_of(Gender)
_PREDICTION = (
    *(_text, _one_of(Status), _gender, _optional(_number), _faces, _text, _optional(_text)),
)
_SETTINGS = (
    *(_optional(_text), _text, _text, _optional(_number), _optional(_number), _flag),
    *(_optional(_whole), _whole),
)
_FIELDS: dict[type[Any], tuple[Check, ...]] = {
    Task: (_settings, _count, *[_flag] * 4),
    Job: (_count, _text, _text),
    Replace: (),
    Warned: (_text,),
    Unusable: (_text, _text),
    Ready: (_text, _seconds, _text),
    Forked: (_count, _count),
    ForkFailed: (_count, _text),
    Ended: (_count, _count),
    Started: (),
    Classified: (_count, _prediction, _drawings, _seconds),
    Failed: (_count, _text),
}
_SCHEMA: dict[str, tuple[type[Any], tuple[Check, ...]]] = {
    kind.__name__: (kind, checks) for kind, checks in _FIELDS.items()
}

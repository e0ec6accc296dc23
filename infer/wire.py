"""What the command and its worker process tell each other: a line of JSON each.

Not pickles: the worker handles files from strangers, and nothing that it sends may do anything.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from image_gender_classifier.choices import Choices
from image_gender_classifier.verdict import NO_DRAWINGS, Box, Drawings, Face, Verdict


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is started with.

    Attributes:
        choices: How pictures are judged.
        workers: Pictures judged at a time.
        copies: Draw a copy of every picture.
        thumbnails: Draw a small copy of the doubtful ones.
    """

    choices: Choices
    workers: int
    copies: bool = False
    thumbnails: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A picture to judge.

    Attributes:
        number: By which the answers name it.
        path: The picture.
        file: What its verdict calls it.
    """

    number: int
    path: str
    file: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker can judge; `settings` is the key of all that its verdicts depend on."""

    settings: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the user should read."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker cannot go on: the name of the error's class, and its text."""

    error: str
    text: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The worker has taken up a picture."""

    number: int


@dataclass(frozen=True, slots=True)
class Judged:
    """The worker's verdict on a picture, and the JPEG files drawn of it where they are wanted."""

    number: int
    verdict: Verdict
    drawings: Drawings = NO_DRAWINGS


Message = Task | Job | Ready | Warned | Failed | Begun | Judged
_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (Task, Job, Ready, Warned, Failed, Begun, Judged)
}


def encode(message: Message) -> bytes:
    """Gives a message's line; paths may hold lone surrogates, so it is plain ASCII."""
    fields = [getattr(message, name) for name in message.__slots__]
    return json.dumps([type(message).__name__, *fields], default=_plain).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """Reads a message.

    Raises:
        ValueError: It is none.
    """
    try:
        name, *fields = json.loads(line)
        kind = _KINDS[name]
        if kind is Judged:
            number, verdict, drawings = fields
            return Judged(number, _verdict(*verdict), Drawings(*map(_bytes, drawings)))
        if kind is Task:
            choices, *others = fields
            return Task(Choices(*choices), *others)
        return kind(*fields)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"not a message: {error}") from None


def _plain(record: object) -> str | list[Any]:
    """Gives bytes as text, and the fields of any record within a message, for JSON."""
    if isinstance(record, bytes):
        return b64encode(record).decode("ascii")
    return [getattr(record, name) for name in record.__slots__]  # type: ignore[attr-defined]


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


def _verdict(*fields: Any) -> Verdict:
    file, status, gender, confidence, faces, run, message = fields
    found = tuple(Face(Box(*box), *others) for box, *others in faces)
    return Verdict(file, status, gender, confidence, found, run, message)

"""What the command and its worker processes tell each other: a line of JSON each.

Not pickles: the worker handles files from strangers, and nothing that it sends may do anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from image_gender_classifier.results import NO_DRAWINGS, Box, Drawings, Face, Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.system.profiling import NO_SECONDS


class Task(NamedTuple):
    """What a worker is started with.

    Attributes:
        choices: How pictures are judged.
        workers: Pictures judged at a time.
        copies: Draw a copy of every picture.
        thumbnails: Draw a small copy of the doubtful ones.
        profile: Measure the time of each stage.
        debug: Leave standard error open and print tracebacks to it.
    """

    choices: Settings
    workers: int
    copies: bool = False
    thumbnails: bool = False
    profile: bool = False
    debug: bool = False


class Job(NamedTuple):
    """A picture to judge.

    Attributes:
        number: By which the answers name it.
        path: The picture.
        file: What its verdict calls it.
    """

    number: int
    path: str
    file: str


class Ready(NamedTuple):
    """The worker can judge.

    Attributes:
        settings: The key of all that its verdicts depend on.
        seconds: How long each stage of its start took, where that is wanted.
        model: The runtime and the model file, for the log.
    """

    settings: str
    seconds: Mapping[str, float] = NO_SECONDS
    model: str = ""


class Warned(NamedTuple):
    """Something that the user should read."""

    text: str


class Unusable(NamedTuple):
    """No picture can be classified: the name of the error's class, and its text."""

    error: str
    text: str


class Failed(NamedTuple):
    """A picture met an internal error.

    Attributes:
        number: The picture's.
        error: The exception in one line.
    """

    number: int
    error: str


class Fork(NamedTuple):
    """The worker is to make another process like itself, for the next pipes of its list."""


class ForkFailed(NamedTuple):
    """The system lets the worker make no further process.

    Attributes:
        processes: How many there are.
        why: What the system says.
    """

    processes: int
    why: str


class Classified(NamedTuple):
    """The worker's verdict on a picture.

    Attributes:
        number: The picture's.
        verdict: What is said of it.
        drawings: The JPEG files drawn of it where they are wanted.
        seconds: How long each stage took since the same process's last verdict, where that is
            wanted.
    """

    number: int
    prediction: Prediction
    drawings: Drawings = NO_DRAWINGS
    seconds: Mapping[str, float] = NO_SECONDS


Message = Task | Job | Fork | ForkFailed | Ready | Warned | Unusable | Failed | Classified
_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (Task, Job, Fork, ForkFailed, Ready, Warned, Unusable, Failed, Classified)
}


class Lines:
    """Puts messages together again from what a pipe gives, piece by piece."""

    def __init__(self) -> None:
        self._begun = b""

    def take(self, piece: bytes) -> list[Message]:
        """Gives the messages that a piece completes.

        Raises:
            ValueError: It completes something else.
        """
        *lines, self._begun = (self._begun + piece).split(b"\n")
        return [decode(line) for line in lines]


def encode(message: Message) -> bytes:
    """Gives a message's line; paths may hold lone surrogates, so it is plain ASCII."""
    return json.dumps([type(message).__name__, *message], default=_text).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """Reads a message.

    Raises:
        ValueError: It is none.
    """
    try:
        name, *fields = json.loads(line)
        kind = _KINDS[name]
        if kind is Classified:
            number, prediction, drawings, seconds = fields
            drawn = Drawings(*map(_bytes, drawings))
            return Classified(number, _prediction(*prediction), drawn, _seconds(seconds))
        if kind is Ready:
            settings, seconds, model = fields
            return Ready(settings, _seconds(seconds), model)
        if kind is Task:
            choices, *others = fields
            return Task(Settings(*choices), *others)
        return kind(*fields)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise ValueError(f"not a message: {error}") from None


def _text(data: bytes) -> str:
    from base64 import b64encode  # late, as below: few runs draw

    return b64encode(data).decode("ascii")


def _bytes(text: str | None) -> bytes | None:
    if text is None:
        return None
    from base64 import b64decode

    return b64decode(text, validate=True)


def _seconds(stages: Mapping[str, Any]) -> dict[str, float]:
    return {stage: float(seconds) for stage, seconds in stages.items()}


def _prediction(*fields: Any) -> Prediction:
    file, status, gender, confidence, faces, run, message = fields
    found = tuple(Face(Box(*box), *others) for box, *others in faces)
    return Prediction(file, status, gender, confidence, found, run, message)

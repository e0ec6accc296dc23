"""The messages between the command and its worker processes.

The types of the fields are the schema that `channel` checks, so annotations are not deferred here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.system.profiling import NO_SECONDS


class Task(NamedTuple):
    """What the processes are started with.

    Attributes:
        settings: The classifier's settings.
        workers: How many workers at most.
        longest: Seconds that a picture may take on any machine.
        copies: Draw a copy of every picture.
        thumbnails: Draw a small copy of each doubtful picture.
        profile: Measure the time of each stage.
        debug: Leave standard error open and print tracebacks to it.
    """

    settings: Settings
    workers: int
    longest: float = 60.0
    copies: bool = False
    thumbnails: bool = False
    profile: bool = False
    debug: bool = False


class Ready(NamedTuple):
    """The libraries and the models are loaded.

    Attributes:
        cache_key: The key of everything but the picture that a prediction depends on.
        seconds: The seconds of each stage.
        model: The runtime and the model file, for the log.
        warnings: For the user.
    """

    cache_key: str
    seconds: Mapping[str, float] = NO_SECONDS
    model: str = ""
    warnings: tuple[str, ...] = ()


class Fork(NamedTuple):
    """Fork these workers; with none, the process that has loaded everything is the only one."""

    workers: tuple[int, ...]


class ForkFailed(NamedTuple):
    """The system refused to fork these workers, and its reason."""

    workers: tuple[int, ...]
    why: str


class Started(NamedTuple):
    """The first message of a worker: its process."""

    process: int


class Job(NamedTuple):
    """A picture to classify.

    Attributes:
        number: Its place in the run.
        path: Its path.
        file: Its name in the prediction.
        longest: Seconds that it may take.
    """

    number: int
    path: str
    file: str
    longest: float


class Answer(NamedTuple):
    """What became of a picture.

    Attributes:
        number: The picture's.
        prediction: The prediction, or None after an internal error.
        error: The internal error in one line, or None.
        drawings: The copies drawn of the picture.
        seconds: The seconds of each stage since the worker's last message.
        took: The seconds that the picture took.
    """

    number: int
    prediction: Prediction | None
    error: str | None = None
    drawings: Drawings = NO_DRAWINGS
    seconds: Mapping[str, float] = NO_SECONDS
    took: float = 0.0


class Unusable(NamedTuple):
    """No picture can be classified: the name of the error's class, and its text."""

    error: str
    text: str


class Ended(NamedTuple):
    """A worker has ended: its place among the workers, and its status as `os.wait` gives it."""

    worker: int
    status: int


Message = Task | Ready | Fork | ForkFailed | Started | Job | Answer | Unusable | Ended

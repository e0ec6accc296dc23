"""The messages between the command and its worker processes.

The types of the fields are the schema that `channel` checks, so annotations are not deferred here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.system.profiling import NO_SECONDS

INTERNAL_ERROR_CODE = 70
"""Exit code of a process after an exception that is not about a picture (`EX_SOFTWARE`)."""


class Task(NamedTuple):
    """The task of the worker processes.

    Attributes:
        settings: The settings of the classifier.
        workers: Maximum number of workers.
        timeout: Seconds that a picture may take on any machine.
        copies: Draw an annotated copy of every picture.
        thumbnails: Draw a thumbnail of each doubtful picture.
        profile: Measure the time of each stage.
        debug: Leave standard error open and print tracebacks to it.
    """

    settings: Settings
    workers: int
    timeout: float = 60.0
    copies: bool = False
    thumbnails: bool = False
    profile: bool = False
    debug: bool = False


class Ready(NamedTuple):
    """The first process has loaded the libraries and models.

    Attributes:
        cache_key: Hash of everything but the picture that a prediction depends on.
        seconds: Seconds spent in each stage.
        model: The runtime and the model file, for the log.
        warnings: Warnings for the user.
    """

    cache_key: str
    seconds: Mapping[str, float] = NO_SECONDS
    model: str = ""
    warnings: tuple[str, ...] = ()


class Fork(NamedTuple):
    """Orders the first process to fork these workers (by index); if empty, to be the only one."""

    workers: tuple[int, ...]


class ForkFailed(NamedTuple):
    """The system refused to fork workers.

    Attributes:
        workers: Their indices.
        why: The system's reason.
    """

    workers: tuple[int, ...]
    why: str


class Started(NamedTuple):
    """The first message of a worker: its process id."""

    process: int


class Job(NamedTuple):
    """A picture to classify.

    Attributes:
        number: Position of the picture in the run, from 0.
        path: Path of the file.
        file: Name of the picture in the prediction.
        timeout: Seconds that the picture may take.
    """

    number: int
    path: str
    file: str
    timeout: float


class Answer(NamedTuple):
    """The result of a job.

    Attributes:
        number: Number of the job.
        prediction: The prediction; None after an internal error.
        error: The internal error in one line; None if there is a prediction.
        drawings: Annotated copy and thumbnail of the picture, where the task asks for them.
        seconds: Seconds spent in each stage since the worker's last answer.
        took: Seconds that the picture took.
        unfinished: Whether the environment is at fault and the next try may succeed.
    """

    number: int
    prediction: Prediction | None
    error: str | None = None
    drawings: Drawings = NO_DRAWINGS
    seconds: Mapping[str, float] = NO_SECONDS
    took: float = 0.0
    unfinished: bool = False


class Unusable(NamedTuple):
    """No picture can be classified.

    Attributes:
        error: Name of the exception class in `errors`.
        text: Message of the exception.
    """

    error: str
    text: str


class Ended(NamedTuple):
    """A worker process has ended.

    Attributes:
        worker: Index of the worker.
        status: Status of the process, as from `os.wait`.
    """

    worker: int
    status: int


Message = Task | Ready | Fork | ForkFailed | Started | Job | Answer | Unusable | Ended

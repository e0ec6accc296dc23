"""The messages between the parent process and its worker processes.

The first process is the worker process that loads the models and forks the others (see `worker`).
The annotations of the fields are the schema by which `channel` validates received messages, so they
are not deferred here (`from __future__ import annotations`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from image_gender_classifier import errors
from image_gender_classifier.errors import GenderClassifierError
from image_gender_classifier.outputs.settings import COPY_SIDE
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction, Preview
from image_gender_classifier.settings import Settings
from image_gender_classifier.system.profiling import NO_SECONDS


class Task(NamedTuple):
    """The settings of the worker processes.

    Attributes:
        settings: The settings of the classifier.
        workers: Maximum number of workers.
        timeout: Timeout for a picture in seconds; extended on a slow machine.
        copies: Whether to draw an annotated copy of every picture.
        thumbnails: Whether to draw a thumbnail of every picture.
        previews: Whether to draw previews instead of classifying; then no model is loaded.
        profile: Whether to measure the time of each stage.
        debug: Whether to leave the workers' standard error open and print tracebacks to it.
        copy_side: Longest side of an annotated copy in pixels.
        stored: Whether to report how the pictures are stored.
    """

    settings: Settings
    workers: int
    timeout: float = 60.0
    copies: bool = False
    thumbnails: bool = False
    previews: bool = False
    profile: bool = False
    debug: bool = False
    copy_side: int = COPY_SIDE
    stored: bool = False


class Ready(NamedTuple):
    """From the first process: the libraries and models are loaded.

    Attributes:
        cache_key: Hash of everything except the picture that affects a prediction.
        seconds: Seconds spent in each stage; empty unless `Task.profile` is set.
        model: The runtime and the model file, in words.
        warnings: Warnings for the user.
        threshold: Confidence below which a prediction is `uncertain`.
    """

    cache_key: str
    seconds: Mapping[str, float] = NO_SECONDS
    model: str = ""
    warnings: tuple[str, ...] = ()
    threshold: float = 0.0


class Fork(NamedTuple):
    """To the first process: fork workers.

    Attributes:
        workers: Their indices; if empty, the first process becomes the only worker, with index 0.
    """

    workers: tuple[int, ...]


class ForkFailed(NamedTuple):
    """From the first process: the system refused to fork workers.

    Attributes:
        workers: The indices of the requested workers that were not forked.
        why: Error message of the operating system.
    """

    workers: tuple[int, ...]
    why: str


class Ended(NamedTuple):
    """From the first process: a forked worker has ended.

    Attributes:
        worker: Index of the worker.
        status: Status of the process, as from `os.wait`.
    """

    worker: int
    status: int


class Started(NamedTuple):
    """From a worker: its first message, after which it reads jobs."""


class Job(NamedTuple):
    """To a worker: a picture to classify, or to draw a preview of.

    Attributes:
        number: Position of the picture in the call of `Supervisor.classify`, from 0.
        path: Path of the file.
        file: Name of the picture in the prediction.
        timeout: Seconds after which the worker process ends if the picture is not finished.
        side: Maximum of the longest side of the preview, in pixels.
    """

    number: int
    path: str
    file: str
    timeout: float
    side: int = 0


class Answer(NamedTuple):
    """From a worker: the result of a job. Jobs are answered in order.

    Attributes:
        number: Number of the job.
        prediction: The prediction; None if there is none.
        error: Why there is no prediction, in one line; None if there is one.
        drawings: What outputs need of the picture besides, if the task requests it.
        seconds: Seconds spent in each stage since the worker's last prediction; empty unless
            `Task.profile` is set.
        took: Wall time spent on the picture, in seconds.
        unfinished: Whether the environment, such as a lack of memory, prevented a prediction, so
            that the next try may succeed.
        preview: The preview of the picture, if the task asks for it instead of a prediction.
    """

    number: int
    prediction: Prediction | None
    error: str | None = None
    drawings: Drawings = NO_DRAWINGS
    seconds: Mapping[str, float] = NO_SECONDS
    took: float = 0.0
    unfinished: bool = False
    preview: Preview | None = None

    def is_answer_to(self, job: Job) -> bool:
        """Returns whether the fields agree with each other and with the job."""
        if self.prediction is None:
            given = (self.error is None) != (self.preview is None)
            return self.number == job.number and given
        file = self.prediction.file
        return (
            (self.number, file) == (job.number, job.file)
            and self.error is None
            and self.preview is None
            and self.prediction.status != "reviewed"  # only a person says so
            and not self.unfinished
        )


class Unusable(NamedTuple):
    """From the first process or a worker: no picture can be classified.

    Attributes:
        error: Name of the exception class in `errors`.
        text: Message of the exception.
    """

    error: str
    text: str

    @classmethod
    def from_exception(cls, error: GenderClassifierError) -> "Unusable":
        """Describes the exception because of which no picture can be classified."""
        return cls(type(error).__name__, str(error))

    def to_exception(self) -> GenderClassifierError:
        """Returns the exception; one of the base class if `error` is not a name in `errors`."""
        kind = getattr(errors, self.error, None)
        if isinstance(kind, type) and issubclass(kind, GenderClassifierError):
            return kind(self.text)
        return GenderClassifierError(self.text)


Message = Task | Ready | Fork | ForkFailed | Ended | Started | Job | Answer | Unusable

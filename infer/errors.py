"""The exceptions of this package, and the words for its bugs.

The command-line tool maps them to exit codes. `Engine` turns `UnreadablePicture` into a prediction.
"""

from __future__ import annotations


class GenderClassifierError(Exception):
    """Base class of all exceptions of this package."""


class UsageError(GenderClassifierError):
    """An argument or option is wrong, or a folder cannot be used (exit code 2)."""


class PictureNotFound(UsageError, FileNotFoundError):
    """The path of a picture does not exist."""


class UnreadablePicture(GenderClassifierError):
    """A picture cannot be read or decoded; the message has the reason and the remedy."""


class DecoderMissing(UnreadablePicture):
    """The package that decodes a picture is missing, broken or too old."""


class ModelError(GenderClassifierError):
    """A model or its manifest is missing, corrupt or of an unknown version (exit code 2)."""


class RuntimeMissing(GenderClassifierError):
    """No usable inference runtime or OpenCV is installed (exit code 2)."""


class OutputError(GenderClassifierError):
    """An output can no longer be written (exit code 3)."""


class FileNotWritten(GenderClassifierError):
    """An output leaves out the file of one picture (exit code 1)."""


class InternalError(GenderClassifierError):
    """A bug in this package (exit code 4).

    `__cause__` is the original exception, unless it was raised in a worker process.
    """


class Unfinished(GenderClassifierError):
    """Memory or time is too short, or a file cannot be read at present (exit code 4).

    Not a bug: a later call may succeed.
    """


class PictureSkipped(UserWarning):
    """Warns that a picture has no prediction.

    The picture timed out or cannot be read at present, its worker process was killed, or memory was
    short.
    """


class FolderSkipped(UserWarning):
    """Warns that a subfolder, or a file that may be a picture, cannot be read.

    Its pictures have no prediction.
    """


class RuntimeFallback(UserWarning):
    """Warns that another runtime runs the model, because the preferred one cannot be loaded."""


def describe_bug(bug: BaseException | str) -> str:
    """Returns the message about a bug of this package, in one line.

    Args:
        bug: The exception, or what else shows that there is a bug.
    """
    return f"internal error ({bug if isinstance(bug, str) else format_exception(bug)})"


def format_exception(error: BaseException) -> str:
    """Returns the class and the message of an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")

"""The exceptions of this package, each raised where the fact is known.

The command turns them into exit codes and the engine turns `UnreadablePicture` into a prediction;
nothing else catches them.
"""

from __future__ import annotations


class GenderClassifierError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(GenderClassifierError):
    """Wrong arguments, or a folder that cannot be used (exit code 2)."""


class PictureNotFound(UsageError, FileNotFoundError):
    """The path of a picture does not exist."""


class UnreadablePicture(GenderClassifierError):
    """A picture's bytes cannot be turned into pixels."""


class ModelError(GenderClassifierError):
    """A model or its manifest is missing, corrupt or of an unknown schema (exit code 2)."""


class RuntimeMissing(GenderClassifierError):
    """No usable inference runtime, or no usable OpenCV, is installed (exit code 2)."""


class OutputError(GenderClassifierError):
    """The output can no longer be written (exit code 3)."""


class InternalError(GenderClassifierError):
    """A bug in this package, met at a picture (exit code 4); the cause is chained to it."""


class FolderSkipped(UserWarning):
    """A subfolder cannot be read; its pictures have no prediction."""


class RuntimeFallback(UserWarning):
    """The runtime that would come first cannot be loaded; another one runs the model."""

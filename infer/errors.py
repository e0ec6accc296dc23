"""The errors of this package, each raised where the fact is known.

The command line turns them into exit codes and the batch turns `UnreadablePicture` into a
verdict; nothing else catches them.
"""

from __future__ import annotations


class GenderClassifierError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(GenderClassifierError):
    """The caller asked for something that cannot be done (exit code 2)."""


class UnreadablePicture(GenderClassifierError):
    """A picture's bytes cannot be turned into pixels."""


class ModelError(GenderClassifierError):
    """A model or its manifest is missing, damaged or of another contract (exit code 2)."""


class RuntimeMissing(GenderClassifierError):
    """No usable inference runtime, or no usable OpenCV, is installed (exit code 2)."""


class OutputError(GenderClassifierError):
    """The output can no longer be written (exit code 3)."""


class InternalError(GenderClassifierError):
    """A bug in this package, met at a picture (exit code 4); the cause is chained to it."""


class RuntimeFallback(UserWarning):
    """The runtime that would come first cannot be loaded; another one runs the model."""

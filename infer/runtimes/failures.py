"""Distinguishes a lack of memory from a broken model when a runtime fails; both look alike."""

from __future__ import annotations

from image_gender_classifier.errors import ModelError
from image_gender_classifier.system.memory import is_memory_available

_ENOUGH = 2**27  # bytes; several times what a network takes with its largest input


def make_model_error(failure: str, remedy: str, error: Exception) -> ModelError:
    """Returns the exception for a model that a runtime cannot open or run.

    Args:
        failure: What the runtime cannot do, for the message.
        remedy: What the user can do about a broken model.
        error: The exception of the runtime.

    Raises:
        MemoryError: Memory is short, so the model may be intact.
    """
    if isinstance(error, MemoryError) or not is_memory_available(_ENOUGH):
        raise MemoryError(f"{failure}: memory is short") from error
    return ModelError(f"{failure} ({error}); {remedy}")

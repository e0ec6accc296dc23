"""Checks the settings of a classifier: types, names, ranges and the format of the model.

Opens no file and imports no NumPy: the pictures may be classified on another machine.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.errors import UsageError
from image_gender_classifier.manifest.schema import file_format
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.runtimes.registry import AUTO, RuntimeEntry
from image_gender_classifier.settings import MOST_BYTES, MOST_PIXELS, SMALLEST_FACE, Settings

Converted = TypeVar("Converted")


def check_settings(given: Settings) -> Settings:
    """Checks settings and returns them with the types of their annotations.

    A worker process gets these, and would refuse a NumPy number or 1 instead of True.

    Raises:
        UsageError: A setting has a wrong type, is unknown or out of range, or the runtime does not
            run the format of the model.
    """
    choices = given._replace(
        threshold=_convert_optional("the threshold", given.threshold, float, "a number"),
        min_face=_convert_optional("min_face", given.min_face, float, "a number"),
        all_faces=_convert("all_faces", given.all_faces, _to_bool, "True or False"),
        max_pixels=_convert_optional("max_pixels", given.max_pixels, _to_int, "a whole number"),
        max_bytes=_convert("max_bytes", given.max_bytes, _to_int, "a whole number"),
    )
    for setting, chosen, known in (
        ("runtime", choices.runtime, runtimes.runtime_choices()),
        ("detector", choices.detector, detectors.detector_names()),
    ):
        if chosen not in known:
            raise UsageError(f"the {setting} is {chosen!r}, but must be one of {', '.join(known)}")
    for name, value, least, most in (
        ("the threshold", choices.threshold, 0, 1),
        ("min_face", choices.min_face, SMALLEST_FACE, 1),
        ("max_pixels", choices.max_pixels, 1, MOST_PIXELS),
        ("max_bytes", choices.max_bytes, 1, MOST_BYTES),
    ):
        if value is not None and not least <= value <= most:
            raise UsageError(f"{name} is {value}, but must be between {least} and {most:,}")
    if choices.model is not None:
        list_runtimes(Path(choices.model), choices.runtime)
    return choices


def _convert_optional(
    name: str, value: object, convert: Callable[[Any], Converted], kind: str
) -> Converted | None:
    """Converts the value of a setting like `_convert`, but None stays None."""
    return None if value is None else _convert(name, value, convert, kind)


def _convert(name: str, value: object, convert: Callable[[Any], Converted], kind: str) -> Converted:
    """Converts the value of a setting.

    Args:
        name: Name of the setting, for the message.
        value: Its value.
        convert: Converts it; raises TypeError or ValueError for a wrong type.
        kind: Description of the right type, for the message.

    Raises:
        UsageError: The value has a wrong type.
    """
    try:
        if not isinstance(value, (str, bytes)):  # `float` accepts text
            return convert(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise UsageError(f"{name} is {value!r}, but must be {kind}")


def _to_bool(value: Any) -> bool:
    """Converts True, False, 1, 0 and NumPy's to a bool; raises ValueError for any other value."""
    number = operator.index(value) if not hasattr(value, "dtype") else value
    if number not in (0, 1):
        raise ValueError
    return bool(number)


def _to_int(value: Any) -> int:
    """Converts a whole number to an int; raises TypeError for any other value, such as 1.0."""
    return int(operator.index(value))


def check_count(name: str, value: object) -> int:
    """Returns a number of things as an int.

    Raises:
        UsageError: It is not a whole number, or less than 1.
    """
    number = _convert(name, value, _to_int, "a whole number")
    if number < 1:
        raise UsageError(f"{name} is {number}, but must be at least 1")
    return number


def convert_model_path(model: object) -> str | None:
    """Returns the path of a model file as text; None for the shipped model.

    Raises:
        UsageError: It is not a path.
    """
    try:
        return None if model is None else os.fsdecode(model)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"model is {model!r}, but must be a path or None") from None


def list_runtimes(model: Path, runtime: str) -> list[RuntimeEntry]:
    """Returns the runtimes that may run a model file, in order of preference.

    Args:
        model: The model file, of which only the name matters.
        runtime: Name of a runtime, or `auto`.

    Raises:
        UsageError: The format of the model is unknown, or the runtime does not run it.
    """
    fitting = runtimes.runtimes_for_format(file_format(model.name))
    if not fitting:
        known = ", ".join(f".{each}" for each in runtimes.model_formats())
        raise UsageError(f"{model}: unknown model format; the suffix must be one of {known}")
    chosen = [entry for entry in fitting if runtime in (AUTO, entry.name)]
    if not chosen:
        names = " or ".join((*(entry.name for entry in fitting), AUTO))
        raise UsageError(
            f"{model}: this model has the format {fitting[0].format} and needs the runtime {names} "
            "(--runtime)"
        )
    return chosen

"""Opens the gender classifier and the face detector, and computes the cache key."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from image_gender_classifier import manifest, models
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import RuntimeFallback, RuntimeMissing, UsageError
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS, Limits
from image_gender_classifier.manifest.cache_key import cache_key
from image_gender_classifier.manifest.schema import file_format
from image_gender_classifier.prediction_key import code_key
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.runtimes.registry import AUTO, RuntimeEntry
from image_gender_classifier.settings import MOST_BYTES, MOST_PIXELS, SMALLEST_FACE, Settings

Converted = TypeVar("Converted")

SHIPPED_STEM = "gender_int8"
"""File name of the shipped gender classifiers, without the suffix."""


class Parts(NamedTuple):
    """The opened classifier and detector, which work in a forked process too (`open_network`).

    Attributes:
        classifier: The gender classifier.
        detector: The face detector.
        all_faces: Whether to classify every face, not only the main one.
        limits: Decompression-bomb limits.
        settings: The checked settings.
        cache_key: Hash of everything except the picture that affects a prediction.
        runtime: Name of the runtime in use.
    """

    classifier: Classifier
    detector: Detector
    all_faces: bool
    limits: Limits
    settings: Settings
    cache_key: str
    runtime: str


def shipped_models() -> Path:
    """Returns the path of the folder with the shipped models and their manifest."""
    return Path(models.__file__).parent


def open_parts(choices: Settings) -> Parts:
    """Checks the settings, and opens the classifier and the face detector.

    See `api.load` for warnings and exceptions.
    """
    choices = _check_settings(choices)
    limits = Limits.from_settings(choices)
    model = None if choices.model is None else Path(choices.model)
    classifier, runtime = _open_first(model, choices.runtime, choices.threshold)
    detector = detectors.open_detector(
        choices.detector,
        manifest.load(shipped_models()),
        runtime.name,
        choices.min_face,
        choices.all_faces,
    )
    key = cache_key(
        *(*code_key(), *classifier.cache_key, choices.detector, *detector.cache_key),
        *(["all faces"] if choices.all_faces else []),
        *([repr(limits)] if limits != DEFAULT_LIMITS else []),
    )
    return Parts(classifier, detector, choices.all_faces, limits, choices, key, runtime.name)


def _check_settings(given: Settings) -> Settings:
    """Checks settings and returns them with the types of their annotations.

    A worker process gets these, and would refuse a NumPy number or 1 instead of True.

    Raises:
        UsageError: A setting has a wrong type, is unknown or out of range.
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


def open_classifier(
    model: Path | None, runtime: str = AUTO, threshold: float | None = None
) -> Classifier:
    """Opens a gender classifier, without a face detector, and returns it.

    Args:
        model: Model file, in the same folder as its manifest; None for the shipped one.
        runtime: Name of a runtime, or `auto` for the first available one.
        threshold: Confidence below which a prediction is `uncertain`; None for the threshold in the
            manifest.

    Warns:
        RuntimeFallback: `auto` uses another runtime, because the preferred one cannot be loaded.

    Raises:
        KeyError: The runtime is unknown, and `model` is None.
        ModelError: The model or its manifest is missing, corrupt or incompatible.
        RuntimeMissing: No suitable runtime can be loaded.
        UsageError: The format of the model is unknown, or the runtime does not run it.
    """
    classifier, _ = _open_first(model, runtime, threshold)
    return classifier


def _open_first(
    model: Path | None, runtime: str, threshold: float | None
) -> tuple[Classifier, RuntimeEntry]:
    """Opens a classifier with the first runtime that can be loaded; see `open_classifier`.

    Returns:
        The classifier and the runtime that runs it.
    """
    failures: list[RuntimeMissing] = []
    for entry, path in _list_candidates(model, runtime):
        try:
            classifier = _open_with(entry, path, threshold)
        except RuntimeMissing as error:
            failures.append(error)
            continue
        if failures:
            warning = f"{_join_reasons(failures)}; {entry.name} runs the model instead"
            warnings.warn(warning, RuntimeFallback, stacklevel=2)
        return classifier, entry
    raise RuntimeMissing(_join_reasons(failures)) from failures[-1]


def _join_reasons(failures: Sequence[RuntimeMissing]) -> str:
    """Returns the messages of exceptions in one line."""
    return "; ".join(" ".join(str(failure).split()) for failure in failures)


def _list_candidates(model: Path | None, runtime: str) -> list[tuple[RuntimeEntry, Path]]:
    """Returns the runtimes to try, in order of preference, each with a model file in its format.

    Raises:
        UsageError: The format of the model is unknown, or the runtime does not run it.
    """
    if model is None:
        wanted = runtimes.automatic_runtimes() if runtime == AUTO else [runtimes.RUNTIMES[runtime]]
        return [(entry, shipped_models() / f"{SHIPPED_STEM}.{entry.format}") for entry in wanted]
    fitting = runtimes.runtimes_for_format(file_format(model.name))
    if not fitting:
        known = ", ".join(f".{each}" for each in runtimes.model_formats())
        raise UsageError(f"{model}: unknown model format; the suffix must be one of {known}")
    chosen = [entry for entry in fitting if runtime in (AUTO, entry.name)]
    if not chosen:
        names = " or ".join((*(entry.name for entry in fitting), AUTO))
        raise UsageError(
            f"{model}: this model has the format {fitting[0].format} and needs --runtime {names}"
        )
    return [(entry, model) for entry in chosen]


def _open_with(runtime: RuntimeEntry, path: Path, threshold: float | None) -> Classifier:
    """Opens a classifier with a runtime; warms it up unless the runtime is not fork-safe."""
    entry = manifest.find_model(path)
    classifier = Classifier(open_network(runtime.name, path.parent, entry), entry, threshold)
    if runtime.fork_safe:
        classifier.warm_up()
    return classifier

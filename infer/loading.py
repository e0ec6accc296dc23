"""Opens the gender classifier and the face detector, and computes the cache key."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

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
from image_gender_classifier.settings import MOST_PIXELS, SMALLEST_FACE, Settings

SHIPPED_STEM = "gender_int8"
"""File name of the shipped gender classifiers, without the suffix."""


class Parts(NamedTuple):
    """The opened classifier and detector, which work in a forked process too (`open_network`).

    Attributes:
        classifier: The gender classifier.
        detector: The face detector.
        all_faces: Whether to classify every face, not only the main one.
        limits: Decompression-bomb limits.
        cache_key: Hash of everything except the picture that affects a prediction.
        runtime: Name of the runtime in use.
    """

    classifier: Classifier
    detector: Detector
    all_faces: bool
    limits: Limits
    cache_key: str
    runtime: str


def shipped_models() -> Path:
    """Returns the path of the folder with the shipped models and their manifest."""
    return Path(models.__file__).parent


def open_parts(choices: Settings) -> Parts:
    """Checks the settings, and opens the classifier and the face detector.

    See `api.load` for warnings and exceptions.
    """
    limits = _check_settings(choices)
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
    return Parts(classifier, detector, choices.all_faces, limits, key, runtime.name)


def _check_settings(choices: Settings) -> Limits:
    """Checks the settings and returns their decompression-bomb limits.

    Raises:
        UsageError: A setting is unknown or out of range.
    """
    for setting, chosen, known in (
        ("runtime", choices.runtime, runtimes.runtime_choices()),
        ("detector", choices.detector, detectors.detector_names()),
    ):
        if chosen not in known:
            raise UsageError(f"the {setting} is {chosen!r}, but must be one of {', '.join(known)}")
    threshold = choices.threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"the threshold is {threshold}, but must be between 0 and 1")
    if choices.min_face is not None and not SMALLEST_FACE <= choices.min_face <= 1:
        raise UsageError(
            f"min_face is {choices.min_face}, but must be between {SMALLEST_FACE} and 1"
        )
    limits = Limits.from_settings(choices)
    pixels = 1 if limits.pixels is None else limits.pixels
    if not 1 <= pixels <= MOST_PIXELS:
        raise UsageError(f"max_pixels is {pixels}, but must be between 1 and {MOST_PIXELS:,}")
    if limits.file_bytes < 1:
        raise UsageError(f"max_bytes is {limits.file_bytes}, but must be at least 1")
    return limits


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

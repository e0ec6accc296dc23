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
from image_gender_classifier.errors import RuntimeFallback, RuntimeMissing
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS, Limits
from image_gender_classifier.manifest.cache_key import cache_key
from image_gender_classifier.prediction_key import code_key
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.runtimes.registry import AUTO, RuntimeEntry
from image_gender_classifier.setting_checks import check_settings, list_runtimes
from image_gender_classifier.settings import Settings

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
    choices = check_settings(choices)
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
    return [(entry, model) for entry in list_runtimes(model, runtime)]


def _open_with(runtime: RuntimeEntry, path: Path, threshold: float | None) -> Classifier:
    """Opens a classifier with a runtime; warms it up unless the runtime is not fork-safe."""
    entry = manifest.find_model(path)
    classifier = Classifier(open_network(runtime.name, path.parent, entry), entry, threshold)
    if runtime.fork_safe:
        classifier.warm_up()
    return classifier

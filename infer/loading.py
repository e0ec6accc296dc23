"""Opens what a classifier needs: the model with a runtime, the detector, the settings' key."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple, get_args

from image_gender_classifier import manifest, models
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.detectors import open_detector
from image_gender_classifier.errors import RuntimeFallback, RuntimeMissing, UsageError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.limits import USUAL, Limits
from image_gender_classifier.manifest.cache_key import cache_key
from image_gender_classifier.runtimes import PREFERENCE, SUFFIXES, RuntimeName
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.settings import (
    MOST_PIXELS,
    SMALLEST_FACE,
    DetectorChoice,
    RuntimeChoice,
    Settings,
)
from image_gender_classifier.version import __version__

SHIPPED_STEM = "gender_int8"


class Parts(NamedTuple):
    """What a classifier is made of.

    Attributes:
        classifier: The network with its manifest entry.
        detector: What finds faces.
        all_faces: Whether the faces beside the main one are judged too.
        limits: How large a picture may be.
        settings: Key of everything but the picture that a verdict depends on.
        runtime: The runtime that was found.
    """

    classifier: Classifier
    detector: Detector
    all_faces: bool
    limits: Limits
    settings: str
    runtime: RuntimeName


def shipped_models() -> Path:
    """The folder of the shipped models."""
    return Path(models.__file__).parent


def open_parts(choices: Settings) -> Parts:
    """Opens model and detector; see `api.load` for errors."""
    for what, chosen, known in (
        ("runtime", choices.runtime, get_args(RuntimeChoice)),
        ("detector", choices.detector, get_args(DetectorChoice)),
    ):
        if chosen not in known:
            raise UsageError(f"the {what} is {chosen!r}, but must be one of {', '.join(known)}")
    threshold = choices.threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"the threshold is {threshold}, but must lie between 0 and 1")
    if choices.min_face is not None and not SMALLEST_FACE <= choices.min_face <= 1:
        raise UsageError(
            f"the smallest face is {choices.min_face}, but must lie between {SMALLEST_FACE} and 1"
        )
    limits = Limits.of(choices)
    pixels = 1 if limits.pixels is None else limits.pixels
    if limits.file_bytes < 1 or not 1 <= pixels <= MOST_PIXELS:
        raise UsageError(f"the limits are {limits}, but must be 1 or more, {MOST_PIXELS:,} pixels")
    model = None if choices.model is None else Path(choices.model)
    classifier = open_classifier(model, choices.runtime, threshold)
    shipped = manifest.load(shipped_models())
    found = SUFFIXES[Path(classifier.entry.file).suffix.lower()]
    detector = open_detector(choices.detector, shipped, found, choices.min_face, choices.all_faces)
    settings = cache_key(
        *(__version__, *classifier.cache_key, choices.detector, *detector.cache_key),
        *decoding.CACHE_KEY,
        *(["all faces"] if choices.all_faces else []),
        *([repr(limits)] if limits != USUAL else []),
    )
    return Parts(classifier, detector, choices.all_faces, limits, settings, found)


def open_classifier(
    model: Path | None, runtime: RuntimeChoice = "auto", threshold: float | None = None
) -> Classifier:
    """Opens a perceived-gender model with the first of the wanted runtimes that can be loaded.

    Raises:
        ModelError: The model or its manifest is missing, damaged or of another contract.
        RuntimeMissing: None of the runtimes can be loaded.
        UsageError: The model's format does not fit the runtime.
    """
    reasons = []
    for name, path in _candidates(model, runtime):
        try:
            classifier = _open(path, name, threshold)
        except RuntimeMissing as error:
            reasons.append(" ".join(str(error).split()))
            continue
        if reasons:
            reported = f"{'; '.join(reasons)}; {name} runs the model instead"
            warnings.warn(reported, RuntimeFallback, stacklevel=2)
        return classifier
    raise RuntimeMissing("; ".join(reasons))


def _candidates(model: Path | None, runtime: RuntimeChoice) -> list[tuple[RuntimeName, Path]]:
    """The runtimes to try in turn, each with the file that it can run."""
    if model is None:
        names = PREFERENCE if runtime == "auto" else (runtime,)
        return [(name, shipped_models() / f"{SHIPPED_STEM}.{name}") for name in names]
    name = SUFFIXES.get(model.suffix.lower())
    if name is None:
        raise UsageError(f"{model}: is neither a .tflite nor an .onnx file")
    if runtime not in ("auto", name):
        raise UsageError(f"{model}: is a {name} model; give --runtime {name} or auto")
    return [(name, model)]


def _open(path: Path, name: RuntimeName, threshold: float | None) -> Classifier:
    entry = manifest.find_model(path)
    classifier = Classifier(open_network(name, path.parent, entry), entry, threshold)
    classifier.warm_up()
    return classifier

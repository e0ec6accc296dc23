"""Opens what a classifier needs: the model with a runtime, the detector, the settings' key."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from image_gender_classifier import __version__, manifest
from image_gender_classifier.cascades import CascadeDetector
from image_gender_classifier.choices import Choices, RuntimeChoice
from image_gender_classifier.classifier import Classifier
from image_gender_classifier.errors import RuntimeMissing, UsageError
from image_gender_classifier.fingerprint import settings_key
from image_gender_classifier.pipeline import Detector, WholePicture
from image_gender_classifier.runtimes import PREFERENCE, SUFFIXES, RuntimeName, open_model

SHIPPED_STEM = "gender_int8"
_log = logging.getLogger("image_gender_classifier")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a classifier is made of.

    Attributes:
        classifier: The network with its manifest entry.
        detector: What finds faces.
        all_faces: Whether the faces beside the main one are judged too.
        settings: Key of everything but the picture that a verdict depends on.
        runtime: The runtime that was found.
    """

    classifier: Classifier
    detector: Detector
    all_faces: bool
    settings: str
    runtime: RuntimeName


def shipped_models() -> Path:
    """The folder of the shipped models."""
    return Path(str(files("image_gender_classifier.models")))


def open_parts(choices: Choices) -> Parts:
    """Opens model and detector; see `api.load` for errors."""
    threshold = choices.threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"the threshold is {threshold}, but must lie between 0 and 1")
    model = None if choices.model is None else Path(choices.model)
    classifier = open_classifier(model, choices.runtime, threshold)
    shipped = manifest.load(shipped_models())
    searching = choices.detector == "cascade"
    cascades = shipped.cascades if searching else ()
    settings = settings_key(
        *(__version__, *classifier.decisive, choices.detector),
        *(cascade.decisive for cascade in cascades),
        *(["all faces"] if choices.all_faces else []),
    )
    detector: Detector = CascadeDetector(shipped) if searching else WholePicture()
    found = SUFFIXES[Path(classifier.entry.file).suffix.lower()]
    return Parts(classifier, detector, choices.all_faces, settings, found)


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
            _log.warning("%s; %s runs the model instead", "; ".join(reasons), name)
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
    entry, data = manifest.read_known(path)
    classifier = Classifier(open_model(name, data), entry, threshold)
    classifier.rehearse()
    return classifier

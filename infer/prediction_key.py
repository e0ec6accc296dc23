"""The share of the code in the cache key: the constants of every module that shapes predictions.

Collecting them from the modules makes a changed constant a changed key, without a list to maintain.
The version of the package stands for the rest of the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from image_gender_classifier import pipeline
from image_gender_classifier.classification import classifier
from image_gender_classifier.detection import (
    cascade,
    face_detector,
    geometry,
    heatmap,
    staged,
    tiling,
    whole_picture,
)
from image_gender_classifier.imaging import alpha, decoding, headers, resizing
from image_gender_classifier.version import __version__

_MODULES = (
    *(alpha, decoding, headers, resizing),
    *(cascade, face_detector, geometry, heatmap, staged, tiling, whole_picture),
    *(classifier, pipeline),
)


def code_key() -> Iterator[object]:
    """Yields the version of the package and the constants that predictions depend on."""
    yield __version__
    for module in _MODULES:
        yield from _constants(module)


def _constants(module: ModuleType) -> Iterator[str]:
    """Yields the plain values that a module names in upper case, with their names."""
    for name, value in vars(module).items():
        if name.isupper() and _is_plain(value):
            yield f"{name}={sorted(value) if isinstance(value, frozenset) else value!r}"


def _is_plain(value: object) -> bool:
    """Returns whether a value consists of numbers and texts, whose representation is stable."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.items()))
    if isinstance(value, tuple | frozenset):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str | bytes)

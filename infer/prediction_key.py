"""The part of the cache key that depends on the code: version of the package and constants.

The constants are collected from the modules that are listed here. The version stands for the rest
of the code, such as the decoders of rare formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from image_gender_classifier import pipeline
from image_gender_classifier.classification import classifier
from image_gender_classifier.detection import (
    bounds,
    candidates,
    cascade,
    face_detector,
    face_refiner,
    face_search,
    face_verifier,
    geometry,
    heatmap,
    staged,
    tile_network,
    tiling,
    turning,
    whole_picture,
)
from image_gender_classifier.imaging import (
    alpha,
    decoding,
    headers,
    opencv_decoding,
    resizing,
    upright,
)
from image_gender_classifier.version import __version__

_MODULES = (
    *(alpha, decoding, headers, opencv_decoding, resizing, upright),
    *(bounds, candidates, cascade, face_search, face_detector, face_refiner, face_verifier),
    *(geometry, heatmap, staged, tile_network, tiling, turning, whole_picture),
    *(classifier, pipeline),
)


def code_key() -> Iterator[object]:
    """Yields the version of the package and the constants that predictions depend on."""
    yield __version__
    for module in _MODULES:
        yield from _constants(module)


def _constants(module: ModuleType) -> Iterator[str]:
    """Yields `NAME=value` for each constant (upper-case name) with a plain value in a module."""
    for name, value in vars(module).items():
        if name.isupper():
            plain = tuple(sorted(value)) if isinstance(value, frozenset) else value
            if _is_plain(plain):
                yield f"{name}={plain!r}"


def _is_plain(value: object) -> bool:
    """Returns whether a value consists of numbers, strings and bytes, whose `repr` is stable."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.items()))
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str | bytes)

"""The sets of pictures for the evaluation of face detection, each with its rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from pathlib import Path

import numpy as np

from image_gender_classifier.detection import geometry
from image_gender_classifier.imaging import decoding
from image_gender_classifier.results import Box
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets.listing import list_pictures
from image_gender_classifier.train.evaluation.boxes import composites, rotation, rules, true_boxes
from image_gender_classifier.train.evaluation.boxes.trials import (
    Found,
    Rule,
    Shown,
    Skipped,
    Trial,
    TrialSet,
)

LFW = "lfw"
NO_FACE = "no_face"
CALTECH = "caltech_faces"
_WIDER = "wider"
_TIGHT = "tight crops"
_COMPOSITES = "composites"

_LFW_CENTRE = (125.0, 125.0)
_LFW_DISTANCE = 30.0
_LFW_SIDES = (70.0, 190.0)
_LFW_FACE = Box(70, 70, 110, 110)
_TURNS = (30, -30)  # degrees counterclockwise

_SEED = 20
_COMPOSED = 1000  # composites per set; gives 95% intervals of at most three points
_SHARES = (
    (0.15, 0.15),
    (0.08, 0.08),
    (0.15, 1.0),
)  # minimum and maximum side over the longest side


@dataclass(frozen=True, slots=True)
class _Portrait:
    """A picture with one known face.

    Attributes:
        name: Path relative to the set's folder.
        path: The file.
        is_right: The rule for a correct detection.
        face: The face's box in pixels.
    """

    name: str
    path: Path
    is_right: Rule
    face: Box


def portraits(folder: Path) -> list[TrialSet | Skipped]:
    """Gives the sets of portraits, upright and rotated, and of pictures without a face.

    Raises:
        DataError: A table of true boxes is missing or wrong, or a folder cannot be read.
    """
    sets: list[TrialSet | Skipped] = []
    for name, read in ((LFW, _lfw), (CALTECH, _boxed), (_WIDER, _boxed)):
        found = read(folder / name) if (folder / name).is_dir() else []
        sets += _upright_and_turned(name, found) if found else [_without(name, folder / name)]
    empty = _files(folder / NO_FACE)
    shown = [Trial(name, partial(_faceless, path)) for name, path in empty]
    sets.append(TrialSet(NO_FACE, shown) if shown else _without(NO_FACE, folder / NO_FACE))
    return sets


def crops(fairface: Path | None) -> TrialSet | Skipped:
    """Gives FairFace's validation crops, as pictures that a face fills."""
    if fairface is None:
        return Skipped(_TIGHT, "--fairface is not given")
    found = _files(_validation(fairface))
    if not found:
        return _without(_TIGHT, _validation(fairface))
    return TrialSet(_TIGHT, [Trial(name, partial(_crop, path)) for name, path in found])


def composed(fairface: Path | None, backgrounds: Path | None) -> list[TrialSet | Skipped]:
    """Gives composites of validation crops and backgrounds, one set per size of face.

    Every call gives the same composites. Uses only backgrounds that the training of the face
    detector holds out, if there are any.
    """
    if fairface is None or backgrounds is None:
        return [Skipped(_COMPOSITES, "--fairface and --backgrounds are both required")]
    found, behind = _files(_validation(fairface)), _files(backgrounds)
    for pictures, folder in ((found, _validation(fairface)), (behind, backgrounds)):
        if not pictures:
            return [_without(_COMPOSITES, folder)]
    unseen = [(name, path) for name, path in behind if is_held_out(name)] or behind
    return [
        TrialSet(_share_name(*shares), _composed(found, unseen, shares, number))
        for number, shares in enumerate(_SHARES)
    ]


def _lfw(folder: Path) -> list[_Portrait]:
    rule = rules.near(_LFW_CENTRE, _LFW_DISTANCE, _LFW_SIDES)
    return [_Portrait(name, path, rule, _LFW_FACE) for name, path in _files(folder)]


def _boxed(folder: Path) -> list[_Portrait]:
    return [
        _Portrait(name, folder / name, rules.inside(box), box)
        for name, box in true_boxes.read(folder).items()
    ]


def _upright_and_turned(name: str, found: Sequence[_Portrait]) -> list[TrialSet | Skipped]:
    upright = TrialSet(name, _trials(found, _portrait))
    turned = [
        TrialSet(f"{name}, rotated {degrees:+}°", _trials(found, partial(_turned, degrees=degrees)))
        for degrees in _TURNS
    ]
    return [upright, *turned]


def _trials(found: Sequence[_Portrait], show: Callable[[_Portrait], Shown]) -> list[Trial]:
    return [Trial(portrait.name, partial(show, portrait)) for portrait in found]


def _portrait(portrait: _Portrait) -> Shown:
    return Shown(decoding.read(portrait.path), portrait.is_right)


def _turned(portrait: _Portrait, degrees: float) -> Shown:
    picture = decoding.read(portrait.path, decoding.WORKING_SIDE)
    turn = rotation.plan(picture.width, picture.height, portrait.face, degrees)

    def is_right(found: Found) -> bool:
        return portrait.is_right(rotation.found_back(found, turn))

    return Shown(rotation.turned(picture, turn), is_right)


def _faceless(path: Path) -> Shown:
    return Shown(decoding.read(path), None)


def _crop(path: Path) -> Shown:
    picture = decoding.read(path)
    frame = geometry.whole(picture.height, picture.width)
    return Shown(picture, rules.tight(picture.width, picture.height), frame)


def _composed(
    found: Sequence[tuple[str, Path]],
    behind: Sequence[tuple[str, Path]],
    shares: tuple[float, float],
    number: int,
) -> list[Trial]:
    """Pairs faces with backgrounds; uses each face at most once, and backgrounds repeatedly."""
    random = np.random.default_rng((_SEED, number))
    chosen = random.permutation(len(found))[:_COMPOSED].tolist()
    backgrounds = random.integers(len(behind), size=len(chosen)).tolist()
    least, greatest = map(log, shares)
    sides = np.exp(random.uniform(least, greatest, len(chosen))).tolist()
    return [
        Trial(
            f"{found[face][0]} in {behind[background][0]}",
            partial(
                _composite, found[face][1], behind[background][1], side, (_SEED, number, place)
            ),
        )
        for place, (face, background, side) in enumerate(
            zip(chosen, backgrounds, sides, strict=True)
        )
    ]


def _composite(face: Path, background: Path, share: float, key: tuple[int, int, int]) -> Shown:
    pixels, frame = composites.compose(
        decoding.read(face, decoding.WORKING_SIDE).pixels,
        decoding.read(background, decoding.WORKING_SIDE).pixels,
        share,
        np.random.default_rng(key),
    )
    return Shown(decoding.from_array(pixels), rules.framed(frame), frame)


def _share_name(least: float, greatest: float) -> str:
    size = f"{least:.0%}" if least == greatest else f"{least:.0%} to {greatest:.0%}"
    return f"{_COMPOSITES}, side {size}".replace("%", " %")


def _validation(fairface: Path) -> Path:
    return fairface / "val"


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Gives name and path of every picture below a folder; empty if the folder is missing."""
    return [(name, folder / name) for name in list_pictures(folder)] if folder.is_dir() else []


def _without(name: str, folder: Path) -> Skipped:
    problem = "has no pictures" if folder.is_dir() else "there is no such folder"
    return Skipped(name, f"{folder}: {problem}")

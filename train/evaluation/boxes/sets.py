"""The test sets of the face detection evaluation, each with its rule for correct detections."""

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
from image_gender_classifier.train.detector import composites
from image_gender_classifier.train.detector.lookalikes import draw_lookalike
from image_gender_classifier.train.evaluation.boxes import rotation, rules, true_boxes
from image_gender_classifier.train.evaluation.boxes.trials import (
    Detection,
    LabelledPicture,
    Rule,
    SkippedSet,
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
_ANGLES = (30, -30)  # degrees counterclockwise
_QUARTER_TURNS = (90, 180, 270)
_BESIDE = {"and a smaller face": False, "and hands or other skin": True}
"""Another thing in a composite, and whether it is a lookalike."""
_BESIDE_SIDES = (0.2, 0.6)

_SEED = 20
_COMPOSITES_PER_SET = 1000  # 95% intervals of at most ±3 percentage points
_FACE_SIDES = (
    (0.15, 0.15),
    (0.08, 0.08),
    (0.15, 1.0),
    (0.06, 0.06),
    (0.12, 0.12),
)  # minimum and maximum side of the face crop over the longest side of the composite


@dataclass(frozen=True, slots=True)
class _Portrait:
    """A picture with one known face.

    Attributes:
        name: Path relative to the folder of the set.
        path: The file.
        is_correct: The rule for a correct detection.
        face: Bounding box of the face in pixels.
    """

    name: str
    path: Path
    is_correct: Rule
    face: Box


def make_portrait_sets(folder: Path) -> list[TrialSet | SkippedSet]:
    """Returns the sets of portraits, upright and rotated, and the set of pictures without a face.

    Args:
        folder: Folder with the subfolders `lfw`, `caltech_faces`, `wider` and `no_face`; a missing
            or empty one becomes a `SkippedSet`.

    Raises:
        DataError: A `boxes.csv` is missing or invalid, or a folder cannot be read.
    """
    sets: list[TrialSet | SkippedSet] = []
    for name, read in ((LFW, _list_lfw), (CALTECH, _list_boxed), (_WIDER, _list_boxed)):
        found = read(folder / name) if (folder / name).is_dir() else []
        angles = (*_ANGLES, *_QUARTER_TURNS) if name == LFW else _ANGLES
        sets += (
            _make_rotated_sets(name, found, angles) if found else [_skip_set(name, folder / name)]
        )
    files = _list_files(folder / NO_FACE)
    trials = [Trial(name, partial(_load_faceless, path)) for name, path in files]
    sets.append(TrialSet(NO_FACE, trials) if trials else _skip_set(NO_FACE, folder / NO_FACE))
    return sets


def make_crop_set(fairface: Path | None) -> TrialSet | SkippedSet:
    """Returns the set of FairFace's validation crops, each filled by a face.

    Args:
        fairface: Folder of FairFace; None skips the set, and so does a missing or empty `val`.

    Raises:
        DataError: The folder `val` cannot be read.
    """
    if fairface is None:
        return SkippedSet(_TIGHT, "--fairface is required")
    found = _list_files(_validation_folder(fairface))
    if not found:
        return _skip_set(_TIGHT, _validation_folder(fairface))
    return TrialSet(_TIGHT, [Trial(name, partial(_load_crop, path)) for name, path in found])


def make_composite_sets(
    fairface: Path | None, backgrounds: Path | None
) -> list[TrialSet | SkippedSet]:
    """Returns sets of composites, one per face size: FairFace's validation crops on backgrounds.

    The composites are the same in every call. Uses only backgrounds that training holds out, if
    there are any.

    Args:
        fairface: Folder of FairFace; None skips the sets.
        backgrounds: Folder of pictures without people; None skips the sets. A folder that is
            missing or empty also becomes a `SkippedSet`.

    Raises:
        DataError: A folder cannot be read.
    """
    if fairface is None or backgrounds is None:
        return [SkippedSet(_COMPOSITES, "--fairface and --backgrounds are both required")]
    faces, scenery = _list_files(_validation_folder(fairface)), _list_files(backgrounds)
    for pictures, folder in ((faces, _validation_folder(fairface)), (scenery, backgrounds)):
        if not pictures:
            return [_skip_set(_COMPOSITES, folder)]
    held_out = [(name, path) for name, path in scenery if is_held_out(name)] or scenery
    by_size: list[TrialSet | SkippedSet] = [
        TrialSet(_name_composites(*sides), _make_composite_trials(faces, held_out, sides, number))
        for number, sides in enumerate(_FACE_SIDES)
    ]
    beside: list[TrialSet | SkippedSet] = [
        TrialSet(
            f"{_COMPOSITES} {what}",
            _make_composite_trials(faces, held_out, _BESIDE_SIDES, number, lookalike),
        )
        for number, (what, lookalike) in enumerate(_BESIDE.items(), len(_FACE_SIDES))
    ]
    return by_size + beside


def _list_lfw(folder: Path) -> list[_Portrait]:
    rule = rules.accept_near(_LFW_CENTRE, _LFW_DISTANCE, _LFW_SIDES)
    return [_Portrait(name, path, rule, _LFW_FACE) for name, path in _list_files(folder)]


def _list_boxed(folder: Path) -> list[_Portrait]:
    return [
        _Portrait(name, folder / name, rules.accept_inside(box), box)
        for name, box in true_boxes.read_true_boxes(folder).items()
    ]


def _make_rotated_sets(
    name: str, found: Sequence[_Portrait], angles: Sequence[int]
) -> list[TrialSet | SkippedSet]:
    upright = TrialSet(name, _make_trials(found, _load_portrait))
    turned = [
        TrialSet(
            f"{name}, rotated {degrees:+}°",
            _make_trials(found, partial(_load_rotated, degrees=degrees)),
        )
        for degrees in angles
    ]
    return [upright, *turned]


def _make_trials(
    found: Sequence[_Portrait], load: Callable[[_Portrait], LabelledPicture]
) -> list[Trial]:
    return [Trial(portrait.name, partial(load, portrait)) for portrait in found]


def _load_portrait(portrait: _Portrait) -> LabelledPicture:
    return LabelledPicture(decoding.read(portrait.path), portrait.is_correct)


def _load_rotated(portrait: _Portrait, degrees: float) -> LabelledPicture:
    picture = decoding.read(portrait.path, decoding.WORKING_SIDE)
    turn = rotation.plan_rotation(picture.width, picture.height, portrait.face, degrees)

    def is_correct(found: Detection) -> bool:
        return portrait.is_correct(rotation.unrotate_detection(found, turn))

    return LabelledPicture(rotation.rotate_picture(picture, turn), is_correct)


def _load_faceless(path: Path) -> LabelledPicture:
    return LabelledPicture(decoding.read(path), None)


def _load_crop(path: Path) -> LabelledPicture:
    picture = decoding.read(path)
    frame = geometry.find_central_square(picture.height, picture.width)
    return LabelledPicture(picture, rules.accept_in_crop(picture.width, picture.height), frame)


def _make_composite_trials(
    faces: Sequence[tuple[str, Path]],
    backgrounds: Sequence[tuple[str, Path]],
    side_range: tuple[float, float],
    number: int,
    lookalike: bool | None = None,
) -> list[Trial]:
    """Pairs random faces with random backgrounds; only backgrounds can be used more than once.

    Args:
        faces: Name and path of each face crop.
        backgrounds: Name and path of each background.
        side_range: Minimum and maximum side of the crop over the longest side of the composite.
        number: Number of the set, for the random generator.
        lookalike: Whether to add a lookalike (True) or another face (False); None adds nothing.
    """
    random = np.random.default_rng((_SEED, number))
    chosen = random.permutation(len(faces))[:_COMPOSITES_PER_SET].tolist()
    paired = random.integers(len(backgrounds), size=len(chosen)).tolist()
    least, greatest = map(log, side_range)
    sides = np.exp(random.uniform(least, greatest, len(chosen))).tolist()
    trials = []
    for index, (face, background, side) in enumerate(zip(chosen, paired, sides, strict=True)):
        (face_name, face_path), (name, path) = faces[face], backgrounds[background]
        other = None if lookalike is None else faces[chosen[index - 1]][1]
        key = (_SEED, number, index)
        load = partial(_load_composite, face_path, path, side, key, other, lookalike is True)
        trials.append(Trial(f"{face_name} in {name}", load))
    return trials


def _load_composite(
    face: Path,
    background: Path,
    scale: float,
    key: tuple[int, int, int],
    other: Path | None,
    lookalike: bool,
) -> LabelledPicture:
    random = np.random.default_rng(key)
    pixels, frame = composites.compose_picture(
        decoding.read(face, decoding.WORKING_SIDE).pixels,
        decoding.read(background, decoding.WORKING_SIDE).pixels,
        scale,
        random,
    )
    if other is not None:
        crop = decoding.read(other, decoding.WORKING_SIDE).pixels
        added, mask = draw_lookalike(crop, random) if lookalike else (crop, None)
        composites.add_to_picture(pixels, frame, added, mask, random)
    return LabelledPicture(decoding.from_array(pixels), rules.accept_frame(frame), frame)


def _name_composites(least: float, greatest: float) -> str:
    size = f"{least:.0%}" if least == greatest else f"{least:.0%} to {greatest:.0%}"
    return f"{_COMPOSITES}, side {size}".replace("%", " %")


def _validation_folder(fairface: Path) -> Path:
    return fairface / "val"


def _list_files(folder: Path) -> list[tuple[str, Path]]:
    """Returns the name and path of each picture below a folder; empty if it does not exist."""
    return [(name, folder / name) for name in list_pictures(folder)] if folder.is_dir() else []


def _skip_set(name: str, folder: Path) -> SkippedSet:
    problem = "contains no pictures" if folder.is_dir() else "the folder does not exist"
    return SkippedSet(name, f"{folder}: {problem}")

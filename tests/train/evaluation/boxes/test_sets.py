"""Folders become sets with the rules of their descriptions; what is missing is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile, copytree, rmtree

import numpy as np
import pytest

from image_gender_classifier.detection import geometry
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.results import Box
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation.boxes import rotation, sets
from image_gender_classifier.train.evaluation.boxes.trials import (
    Detection,
    LabelledPicture,
    SkippedSet,
    TrialSet,
    box_around,
)


def by_name(found: Sequence[TrialSet | SkippedSet]) -> dict[str, TrialSet]:
    return {one.name: one for one in found if isinstance(one, TrialSet)}


def found_at(x: float, y: float, side: float) -> Detection:
    box = box_around((x, y), side, side)
    return Detection(box, box, "first")


def is_correct(shown: LabelledPicture, x: float, y: float, side: float) -> bool:
    assert shown.is_correct is not None
    return shown.is_correct(found_at(x, y, side))


def test_portraits_are_upright_and_rotated(portraits: Path) -> None:
    found = by_name(sets.make_portrait_sets(portraits))
    assert {name: len(one.trials) for name, one in found.items()} == {
        "lfw": 2, "lfw, rotated +30°": 2, "lfw, rotated -30°": 2,
        "lfw, rotated +90°": 2, "lfw, rotated +180°": 2, "lfw, rotated +270°": 2,
        "caltech_faces": 1, "caltech_faces, rotated +30°": 1, "caltech_faces, rotated -30°": 1,
        "wider": 1, "wider, rotated +30°": 1, "wider, rotated -30°": 1, "no_face": 1,
    }  # fmt: skip
    assert [trial.name for trial in found["lfw"].trials] == ["female/a.png", "male/b.png"]


def test_portraits_have_the_rules_of_their_sets(portraits: Path) -> None:
    shown = {
        name: one.trials[0].load()
        for name, one in by_name(sets.make_portrait_sets(portraits)).items()
    }
    assert is_correct(shown["lfw"], 125, 125, 110)
    assert not is_correct(shown["lfw"], 125, 125, 40)
    assert is_correct(shown["caltech_faces"], 179, 139, 10)
    assert not is_correct(shown["caltech_faces"], 181, 139, 10)
    assert is_correct(shown["wider"], 1, 101, 10)
    assert shown["no_face"].is_correct is None


@pytest.mark.parametrize("degrees", [30, -30])
def test_a_rotated_picture_is_scored_like_the_upright_one(portraits: Path, degrees: int) -> None:
    """The face of this picture reaches its left edge, so that the canvas must grow."""
    found = by_name(sets.make_portrait_sets(portraits))
    turned = found[f"wider, rotated {degrees:+}°"].trials[0].load()
    assert turned.picture.width > 200
    assert turned.picture.height == 300
    turn = rotation.Rotation(degrees, (200, 300), (turned.picture.width, turned.picture.height))
    for x, y, right in ((5, 105, True), (75, 185, True), (85, 150, False), (40, 195, False)):
        place = rotation.rotate_point((x, y), turn)
        assert is_correct(turned, *place, 20) is right


def test_missing_folders_are_skipped(portraits: Path, tmp_path: Path) -> None:
    copy = tmp_path / "portraits"
    copytree(portraits, copy)
    rmtree(copy / "lfw")
    rmtree(copy / "no_face")
    (copy / "no_face").mkdir()
    found = sets.make_portrait_sets(copy)
    skipped = [one for one in found if isinstance(one, SkippedSet)]
    assert [one.name for one in skipped] == ["lfw", "no_face"]
    assert "the folder does not exist" in skipped[0].reason
    assert "contains no pictures" in skipped[1].reason
    assert len(by_name(found)) == 6


def test_a_missing_table_is_an_error(portraits: Path, tmp_path: Path) -> None:
    copy = tmp_path / "portraits"
    copytree(portraits, copy)
    (copy / "wider" / "boxes.csv").unlink()
    with pytest.raises(DataError, match=r"boxes\.csv"):
        sets.make_portrait_sets(copy)


def test_a_missing_picture_of_the_table_is_unreadable(portraits: Path, tmp_path: Path) -> None:
    copy = tmp_path / "portraits"
    copytree(portraits, copy)
    (copy / "wider" / "d.png").unlink()
    found = by_name(sets.make_portrait_sets(copy))
    for name in ("wider", "wider, rotated +30°"):
        with pytest.raises(UnreadablePicture):
            found[name].trials[0].load()


def test_crops_are_used_whole(fairface: Path) -> None:
    found = sets.make_crop_set(fairface)
    assert isinstance(found, TrialSet)
    shown = found.trials[0].load()
    assert shown.frame == geometry.find_central_square(128, 128) == Box(0, 0, 128, 128)
    assert is_correct(shown, 64, 64, 80)
    assert not is_correct(shown, 64, 64, 70)
    assert not is_correct(shown, 30, 64, 80)


def test_composites_have_the_sizes_of_their_sets(fairface: Path, backgrounds: Path) -> None:
    found = by_name(sets.make_composite_sets(fairface, backgrounds))
    assert list(found) == [
        "composites, side 15 %", "composites, side 8 %", "composites, side 15 % to 100 %",
        "composites, side 6 %", "composites, side 12 %",
        "composites and a smaller face", "composites and hands or other skin",
    ]  # fmt: skip
    bounds = ((48, 48), (26, 26), (48, 320), (19, 19), (38, 38), (64, 192), (64, 192))
    for name, (least, greatest) in zip(found, bounds, strict=True):
        trials = found[name].trials
        assert len({trial.name.split()[0] for trial in trials}) == len(trials) == 3
        for trial in trials:
            shown = trial.load()
            assert shown.frame is not None
            assert max(shown.picture.width, shown.picture.height) == 320
            assert least <= shown.frame.width <= greatest
            x, y = shown.frame.x + shown.frame.width / 2, shown.frame.y + shown.frame.width / 2
            assert is_correct(shown, x + 0.24 * shown.frame.width, y, 1)
            assert not is_correct(shown, x + 0.26 * shown.frame.width, y, 1)


def test_composites_use_held_out_backgrounds(
    fairface: Path, backgrounds: Path, tmp_path: Path
) -> None:
    picture = next(backgrounds.iterdir())
    names = [f"{number}{picture.suffix}" for number in range(60)]
    for name in names:
        copyfile(picture, tmp_path / name)
    held_out = {name for name in names if is_held_out(name)}
    assert 0 < len(held_out) < 10
    for one in by_name(sets.make_composite_sets(fairface, tmp_path)).values():
        assert {trial.name.split()[-1] for trial in one.trials} <= held_out


def test_composites_are_deterministic(fairface: Path, backgrounds: Path) -> None:
    first, second = (by_name(sets.make_composite_sets(fairface, backgrounds)) for _ in range(2))
    for name, one in first.items():
        for trial, again in zip(one.trials, second[name].trials, strict=True):
            assert trial.name == again.name
            shown, shown_again = trial.load(), again.load()
            assert np.array_equal(shown.picture.pixels, shown_again.picture.pixels)
            assert shown.frame == shown_again.frame


def test_sets_without_sources_are_skipped(
    fairface: Path, backgrounds: Path, tmp_path: Path
) -> None:
    assert isinstance(sets.make_crop_set(None), SkippedSet)
    assert isinstance(sets.make_crop_set(tmp_path), SkippedSet)
    for sources in ((None, backgrounds), (fairface, None), (tmp_path, backgrounds),
                    (fairface, tmp_path)):  # fmt: skip
        (skipped,) = sets.make_composite_sets(*sources)
        assert isinstance(skipped, SkippedSet)


def test_the_shared_portraits_are_complete(shared: Path) -> None:
    folder = shared / "portraits"
    if not folder.is_dir():
        pytest.skip(f"no portraits in {shared}")
    found = by_name(sets.make_portrait_sets(folder))
    assert len(found) == 13
    assert len(found["lfw"].trials) == 2000
    for one in found.values():
        shown = one.trials[0].load()
        assert (shown.is_correct is None) == (one.name == "no_face")

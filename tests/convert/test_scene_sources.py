"""Faces and backgrounds for conversions: training and held-out ones, none of them missing."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest

from image_gender_classifier.convert.scene_sources import read_scene_sources
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common.command import Parser
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
)
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError

FACES, PLACES = 50, 40


def write(path: Path, level: int) -> None:
    """Writes a picture of one colour, which tells its number."""
    path.parent.mkdir(exist_ok=True, parents=True)
    cv2.imwrite(str(path), np.full((60, 60, 3), level, np.uint8))


def name_face(number: int) -> str:
    return f"{'female' if number % 2 else 'male'}/{number}.png"


@pytest.fixture
def options(tmp_path: Path) -> argparse.Namespace:
    for number in range(FACES):
        write(tmp_path / "faces" / name_face(number), number)
    for number in range(PLACES):
        write(tmp_path / "places" / f"{number}.png", 100 + number)
    parser = Parser()
    add_data_options(parser)
    add_backgrounds_option(parser)
    return parser.parse_args(
        [
            *("--data", str(tmp_path / "faces"), "--layout", "folders"),
            *("--backgrounds", str(tmp_path / "places")),
        ]
    )


def levels(pictures: list[Pixels]) -> set[int]:
    return {int(picture[0, 0, 0]) for picture in pictures}


def test_training_and_held_out_pictures_are_all_pictures(options: argparse.Namespace) -> None:
    """The training holds out the same ones: the split depends on the names."""
    sources = read_scene_sources(options)
    held_out = {number for number in range(FACES) if is_held_out(name_face(number))}
    assert held_out
    assert levels(list(sources.held_out.crops)) == held_out
    assert levels(list(sources.training.crops)) == set(range(FACES)) - held_out
    places = {number for number in range(PLACES) if is_held_out(f"{number}.png")}
    assert places
    assert levels(list(sources.held_out.backgrounds)) == {100 + number for number in places}
    assert len(sources.training.backgrounds) == PLACES - len(places)
    for part in sources:
        assert part.crops.shape[1:] == (128, 128, 3)
        assert list(part.positions) == list(range(len(part.crops)))


def test_unreadable_pictures_are_skipped_and_named(
    options: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = next(number for number in range(FACES) if not is_held_out(name_face(number)))
    (options.data / name_face(torn)).write_bytes(b"torn")
    assert len(read_scene_sources(options).training.crops) + 1 == sum(
        not is_held_out(name_face(number)) for number in range(FACES)
    )
    said = capsys.readouterr().out
    assert f"unreadable training pictures: 1 ('{name_face(torn)}')" in said


@pytest.mark.parametrize("part", ["training", "held-out"])
@pytest.mark.parametrize("option", ["data", "backgrounds"])
def test_a_part_without_pictures_is_an_error(
    option: str, part: str, options: argparse.Namespace
) -> None:
    folder = getattr(options, option)
    for path in folder.rglob("*.png"):
        if is_held_out(path.relative_to(folder).as_posix()) == (part == "held-out"):
            path.unlink()
    with pytest.raises(DataError, match=rf"^--{option} .*: no readable {part} pictures"):
        read_scene_sources(options)


def test_a_folder_without_backgrounds_is_an_error(
    options: argparse.Namespace, tmp_path: Path
) -> None:
    options.backgrounds = tmp_path / "none"
    options.backgrounds.mkdir()
    with pytest.raises(UsageError, match="contains no readable pictures"):
        read_scene_sources(options)

"""Comparing two systems' folders of XML files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pi.compare import Answer, compare, most_steps, other_runs, overlap, read_answer, read_answers

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<image id="a" file="a.jpg" gender="female" confidence="0.992" status="classified" run="59d9">
  <face x="1.5" y="2" width="96" height="96" gender="female" confidence="0.992" detector="lbp"/>
  <face x="300" y="2" width="40" height="40" detector="lbp"/>
</image>
"""
NO_FACE = b'<image id="b" file="b.jpg" gender="unknown" status="no_face" run="17ab"/>'
FEMALE = Answer("female", "classified", "59d9", (10, 10, 100, 100), b"")


def test_an_answer_has_the_main_faces_box() -> None:
    assert read_answer(XML) == Answer(
        "female", "classified", "59d9", (1.5, 2, 96, 96), XML.replace(b' run="59d9"', b"")
    )


def test_an_answer_without_a_face_has_no_box() -> None:
    assert read_answer(NO_FACE) == Answer(
        "unknown", "no_face", "17ab", None, NO_FACE.replace(b' run="17ab"', b"")
    )


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(XML)
    (tmp_path / "b.xml").write_bytes(NO_FACE)
    (tmp_path / "c.txt").write_bytes(b"")
    assert list(read_answers(tmp_path)) == ["a.xml", "b.xml"]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0, 0, 10, 10), 1),
        ((5, 0, 10, 10), 50 / 150),
        ((2, 2, 5, 5), 25 / 100),
        ((10, 0, 10, 10), 0),
        ((20, 20, 10, 10), 0),
        ((-5, -5, 10, 10), 25 / 175),
    ],
)
def test_overlap(other: tuple[float, float, float, float], expected: float) -> None:
    box = (0, 0, 10, 10)
    assert overlap(box, other) == pytest.approx(expected)
    assert overlap(other, box) == pytest.approx(expected)


def test_the_same_answers_have_no_faults() -> None:
    answers = {"a.xml": FEMALE}
    comparison = compare(answers, answers)
    assert comparison.faults() == []
    assert (comparison.pictures, comparison.same_bytes) == (1, 1)
    assert "1 of 1 same gender and status, least overlap of boxes 1.000" in str(comparison)


@pytest.mark.parametrize(
    ("pictures", "different", "well"),
    [(50, 1, True), (50, 2, False), (10, 1, True), (10, 2, False), (100, 2, True)],
)
def test_one_picture_in_fifty_may_differ(pictures: int, different: int, well: bool) -> None:
    expected = {str(number): FEMALE for number in range(pictures)}
    male = replace(FEMALE, gender="male", box=(0, 0, 5, 5))
    found = {**expected, **{str(number): male for number in range(different)}}
    faults = compare(expected, found).faults()
    assert (faults == []) == well
    if not well:
        assert "another gender or status" in faults[0]


def test_another_status_is_a_difference() -> None:
    uncertain = replace(FEMALE, status="uncertain")
    assert compare({"a": FEMALE}, {"a": uncertain}).different == ("a",)


def test_boxes_apart_are_a_fault() -> None:
    moved = replace(FEMALE, box=(16, 10, 100, 100))
    (fault,) = compare({"a": FEMALE}, {"a": moved}).faults()
    assert fault == "boxes overlap by less than 0.9: a"


def test_another_hash_is_noticed() -> None:
    both = {"a": FEMALE, "b": FEMALE}
    assert other_runs(both, {"a": replace(FEMALE, run="0000"), "b": FEMALE}) == ["a"]
    assert other_runs(both, both) == []


@pytest.mark.parametrize("missing_in", ["expected", "found"])
def test_a_picture_that_one_did_not_judge_is_a_fault(missing_in: str) -> None:
    both, one = {"a": FEMALE, "b": FEMALE}, {"a": FEMALE}
    comparison = compare(one, both) if missing_in == "expected" else compare(both, one)
    assert comparison.faults() == ["judged by one of the two only: b"]


def test_differences_are_counted_in_quantisation_steps() -> None:
    assert most_steps([0.5, -1.0, 2.0], [0.5, -0.5, 1.75], 0.25) == 2


def test_crops_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        most_steps([0.5], [0.5, 1], 0.25)

"""The choice of the calibration crops must be the same wherever it is made."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_gender_classifier.convert import calibration_set
from image_gender_classifier.train import datasets
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import Sample
from image_gender_classifier.train.datasets.sample import BinaryGender

RACES = ("Black", "East Asian", "Indian", "White")


def make(count: int) -> list[Sample]:
    """Samples of which every fourth is female and most are of one race."""
    samples = []
    for number in range(count):
        gender: BinaryGender = "male" if number % 4 else "female"
        race = RACES[number % 4] if number % 3 == 0 else "White"
        name = f"{number}.jpg"
        samples.append(Sample(name, Path(name), gender, {"race": race}))
    return samples


def names(samples: list[Sample]) -> list[str]:
    return [sample.name for sample in samples]


def test_committed_names_are_unique_and_not_held_out() -> None:
    committed = calibration_set.read_committed_names()
    assert len(committed) == len(set(committed)) == calibration_set.SIZE == 504
    assert not any(is_held_out(name) for name in committed)
    assert all(name.startswith("train/") for name in committed)


def test_committed_names_are_balanced_by_race_and_gender(shared: Path) -> None:
    samples = datasets.read_data_set("fairface", shared / "fairface", "train").samples
    chosen = calibration_set.choose_calibration_samples(samples)
    assert names(chosen) == calibration_set.read_committed_names()
    cells = Counter((sample.groups["race"], sample.gender) for sample in chosen)
    assert set(cells.values()) == {36}
    assert len(cells) == 14


def test_committed_names_equal_a_new_balanced_choice(shared: Path) -> None:
    samples = datasets.read_data_set("fairface", shared / "fairface", "train").samples
    learnt = [sample for sample in samples if not is_held_out(sample.name)]
    chosen = names(calibration_set.choose_balanced(learnt, 504))
    assert sorted(chosen) == sorted(calibration_set.read_committed_names())


def test_the_committed_list_is_used_only_if_all_its_names_exist() -> None:
    samples = [Sample(name, Path(name), "male") for name in calibration_set.read_committed_names()]
    assert calibration_set.choose_calibration_samples(samples[::-1]) == samples
    fewer = calibration_set.choose_calibration_samples(samples[1:], 10)
    assert len(fewer) == 10
    assert fewer == calibration_set.choose_balanced(samples[1:], 10)


@settings(max_examples=50)
@given(st.integers(0, 120), st.randoms(use_true_random=False), st.integers(0, 150))
def test_the_choice_does_not_depend_on_the_order_of_samples(
    count: int, random: object, size: int
) -> None:
    samples = make(count)
    shuffled = list(samples)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    chosen = names(calibration_set.choose_balanced(samples, size))
    assert chosen == names(calibration_set.choose_balanced(shuffled, size))
    assert len(chosen) == len(set(chosen)) == min(count, size)


def test_the_choice_has_equally_many_samples_of_each_cell() -> None:
    samples = make(400)
    cells = Counter((sample.groups["race"], sample.gender) for sample in samples)
    assert len(set(cells.values())) > 1, "uneven, else the test proves nothing"
    smallest = min(cells.values())
    chosen = calibration_set.choose_balanced(samples, smallest * len(cells))
    shares = Counter((sample.groups["race"], sample.gender) for sample in chosen)
    assert shares == dict.fromkeys(cells, smallest)


def test_a_smaller_choice_is_a_prefix_of_a_larger_one() -> None:
    samples = make(100)
    assert calibration_set.choose_balanced(samples, 60)[:20] == calibration_set.choose_balanced(
        samples, 20
    )


@pytest.mark.parametrize("name", ["\udcff.jpg", "é.jpg"])
def test_names_that_are_not_ascii_are_accepted(name: str) -> None:
    assert calibration_set.choose_balanced([Sample(name, Path("x"), "male")], 5)[0].name == name

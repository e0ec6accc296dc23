"""Figures hold what was found, are readable pictures and the same bytes each time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib import rcParams

from image_gender_classifier.train.evaluation import figures, findings
from image_gender_classifier.train.evaluation.evaluation_report import Setting
from image_gender_classifier.train.evaluation.findings import Findings
from image_gender_classifier.train.evaluation.metrics import Predictions
from image_gender_classifier.train.evaluation.predictions import SampleResults
from image_gender_classifier.train.evaluation.robustness import DEGRADATIONS

NAMES = ["confusion.png", "coverage.png", "groups.png", "reliability.png", "robustness.png"]


def find(n: int, threshold: float = 0.8, groups: bool = True, gender: str = "") -> Findings:
    """Draws answers that are right as often as their confidence says."""
    random = np.random.default_rng(1)
    labels = np.array([gender or ("female", "male")[number % 2] for number in range(n)], np.str_)
    kinds = {}
    if groups:
        kinds = {
            "age": np.array([("0-2", "70+", "")[number % 3] for number in range(n)], np.str_),
            "race": np.array(
                [("A$b$", "Long_Name of a race")[number // 2 % 2] for number in range(n)]
            ),
        }

    def outcome() -> SampleResults:
        confidence = random.uniform(0.5, 1, n)
        wrong = np.where(labels == "female", "male", "female")
        predicted = np.where(random.uniform(size=n) < confidence, labels, wrong)
        return SampleResults(Predictions(labels, predicted, confidence, kinds), (), ())

    setting = Setting("m.onnx", "0" * 64, "data", "fairface", "val", "none", threshold)
    outcomes = [outcome() for _ in range(1 + len(DEGRADATIONS))]
    return findings.make_findings(setting, False, DEGRADATIONS, outcomes)


def read(png: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return figures.draw_all_figures(find(300))


def test_every_figure_has_the_width_of_the_readme(drawn: dict[str, bytes]) -> None:
    assert sorted(drawn) == NAMES
    for png in drawn.values():
        height, width, _ = read(png).shape
        assert 800 <= width <= 1300
        assert 300 <= height <= 2000


def test_figures_have_a_white_border(drawn: dict[str, bytes]) -> None:
    for name, png in drawn.items():
        picture = read(png)
        border = [picture[0], picture[-1], picture[:, 0], picture[:, -1]]
        assert all((line == 255).all() for line in border), name


def test_equal_findings_give_equal_bytes_in_any_style(drawn: dict[str, bytes]) -> None:
    before = dict(rcParams)
    rcParams["lines.linewidth"] = 9
    try:
        again = figures.draw_all_figures(find(300))
        assert rcParams["lines.linewidth"] == 9
    finally:
        rcParams.update({"lines.linewidth": before["lines.linewidth"]})
    assert drawn == again
    for png in drawn.values():
        assert b"Software" not in png
        assert b"tIME" not in png


def test_different_findings_give_different_figures(drawn: dict[str, bytes]) -> None:
    other = figures.draw_all_figures(find(301))
    assert all(drawn[name] != other[name] for name in NAMES)


@pytest.mark.parametrize(
    "sparse",
    [
        find(1),
        find(60, groups=False),
        find(60, gender="male"),
        find(60, threshold=1.0),
        find(60, threshold=0.0),
    ],
    ids=["one picture", "no groups", "one gender", "nothing classified", "all classified"],
)
def test_sparse_findings_can_be_drawn(sparse: Findings) -> None:
    assert sorted(figures.draw_all_figures(sparse)) == NAMES

"""The report's arithmetic, and the command end to end on pictures made here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from brightness import make_onnx, write_fairface

pytest.importorskip("matplotlib")
pytest.importorskip("onnxruntime")

from image_gender_classifier.train.evaluation import evaluate, figures, report
from image_gender_classifier.train.evaluation.findings import (
    accuracy_under_and_over_ten,
    compute_confusion,
    compute_coverage,
    compute_difference,
    compute_reliability,
)
from image_gender_classifier.train.evaluation.metrics import (
    Predictions,
    Proportion,
    expected_calibration_error,
    wilson_interval,
)
from image_gender_classifier.train.evaluation.robustness import DEGRADATIONS

FILES = [
    *("confusion.png", "coverage.png", "groups.png", "reliability.png", "report.md"),
    "robustness.png",
]
# Age, gender, race and whether the picture is bright; bright ones are taken for female.
ROWS = [
    ("20-29", "Female", "Black", True),
    ("3-9", "Female", "White", True),
    ("more than 70", "Female", "Black", False),
    ("3-9", "Male", "Black", True),
    ("20-29", "Male", "White", False),
    ("70+", "Male", "White", False),
    ("10-19", "Male", "White", False),
]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_onnx(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_fairface(tmp_path / "data", ROWS)


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws no plots, for tests of the page alone."""
    monkeypatch.setattr(figures, "draw_all_figures", lambda _: {})


def run(model: Path, data: Path, out: Path, *further: str) -> str:
    """Runs the command; gives its page."""
    options = ["--model", str(model), "--data", str(data), "--layout", "fairface"]
    assert report.main([*options, "--out", str(out), *further]) == 0
    return (out / "report.md").read_text("utf-8")


def made_answers(n: int = 400) -> Predictions:
    random = np.random.default_rng(2)
    gender = random.choice(["female", "male"], n)
    predicted = random.choice(["female", "male"], n)
    return Predictions(gender, predicted, random.uniform(0.5, 1, n).round(2), {})


def test_the_folder_contains_page_and_figures(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "docs" / "new"
    page = run(model, data, out)
    assert sorted(path.name for path in out.iterdir()) == FILES
    for name in FILES:
        if name.endswith(".png"):
            assert f"]({name})" in page
            assert (out / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    shown = capsys.readouterr()
    assert shown.out == f"{out / 'report.md'}\n"
    assert shown.err == "image-gender-report: 7 samples (3 female)\n"


@pytest.mark.usefixtures("without_figures")
def test_the_page_contains_all_scores(model: Path, data: Path, tmp_path: Path) -> None:
    page = run(model, data, tmp_path / "out")
    lines = page.splitlines()
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    for line in (
        "| model | `tiny.onnx` |",
        f"| sha256 | `{digest[:12]}` |",
        f"| data | `{data}` (fairface, val) |",
        "| pictures | 7; predicted 7; unreadable 0; no face 0 |",
        "| all predicted | 7 | 5 of 7 (35.9 to 91.8) |",
        "| labelled female | 3 | 2 of 3 (20.8 to 93.9) |",
        "| labelled male | 4 | 3 of 4 (30.1 to 95.4) |",
        "| 10 and over | 5 | 4 of 5 (37.6 to 96.4) |",
        "| under 10 | 2 | 1 of 2 (9.5 to 90.5) |",
        "| lowest race × gender cell: Black male | 1 | 0 of 1 (0.0 to 79.3) |",
        "| classified | 7 of 7 (64.6 to 100.0) |",
        "| accuracy of these | 5 of 7 (35.9 to 91.8) |",
        "| labelled (any confidence) | predicted female | predicted male | predicted unknown |",
        "| labelled (threshold 0.8) | predicted female | predicted male | predicted unknown |",
        "| female | 2 | 1 | 0 |",
        "| male | 1 | 3 | 0 |",
        "| original | 5 of 7 (35.9 to 91.8) |  | 66.7 % | 75.0 % | 100.0 % | 71.4 % |",
    ):
        assert line in lines
    assert "Female minus male: -8.3 (" in page
    ages = lines[lines.index("| age | pictures | accuracy |") + 2 :][:4]
    assert [line.split()[1] for line in ages] == ["3-9", "10-19", "20-29", "70+"]


@pytest.mark.usefixtures("without_figures")
def test_darkness_lowers_the_classified_fraction(model: Path, data: Path, tmp_path: Path) -> None:
    """Every way stands in the table; darkness makes bright pictures unsure, 3 of the 7."""
    lines = run(model, data, tmp_path / "out").splitlines()
    table = lines[lines.index("## Robustness") :]
    names = [line.split(" | ")[0].removeprefix("| ") for line in table if " of 7 (" in line]
    assert sorted(names[1:]) == sorted(way.name for way in DEGRADATIONS)
    (dark,) = (line for line in table if line.startswith("| 40 % darker |"))
    assert " +0.0 | 66.7 % | 75.0 % | 57.1 % |" in dark


def test_two_runs_write_equal_files(model: Path, data: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        run(model, data, folder)
    for name in FILES:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


@pytest.mark.usefixtures("without_figures")
def test_pictures_without_a_prediction_are_counted(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "val" / "0.png").write_bytes(b"")
    page = run(model, data, tmp_path / "out")
    assert "| pictures | 7; predicted 6; unreadable 1; no face 0 |" in page
    assert "| all (no prediction is wrong) | 7 | 4 of 7 (" in page
    assert "image-gender-report: val/0.png: " in capsys.readouterr().err


@pytest.mark.usefixtures("without_figures")
def test_the_calibration_error_equals_that_of_image_gender_evaluate(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", str(model), "--data", str(data), "--layout", "fairface"]
    assert evaluate.main(options) == 0
    table = capsys.readouterr().out
    page = run(model, data, tmp_path / "out")
    error = table.split("calibration error (15 bins): ")[1].split()[0]
    assert f"expected calibration error (15 bins from 50 to 100 %) | {error} |" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--detector", "cascade"], "no face found in 7 pictures"),
        (["--split", "train"], "fairface_label_train.csv"),
        (["--out", "/dev/null/x"], "cannot be created"),
        (["--threshold", "2"], "is not a number from 0 to 1"),
    ],
)
def test_an_error_is_one_line_with_exit_code_2(
    options: list[str],
    message: str,
    model: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--model", str(model), "--data", str(data), "--layout", "fairface"]
    out = tmp_path / "out"
    assert report.main([*given, "--out", str(out), *options]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err.splitlines()[-1]
    assert not (out / "report.md").exists()


def test_the_bins_add_up_to_the_calibration_error() -> None:
    answers = made_answers()
    bins = compute_reliability(answers)
    gaps = [abs((part.accuracy.value or 0.0) - part.confidence) * part.accuracy.n for part in bins]
    error = expected_calibration_error(answers.confidence, answers.gender == answers.predicted)
    assert sum(gaps) / len(answers.gender) == pytest.approx(error)
    assert sum(part.accuracy.n for part in bins) == len(answers.gender)
    assert all(part.low - 1e-9 <= part.confidence <= part.high + 1e-9 for part in bins)


def test_coverage_has_one_point_per_confidence() -> None:
    answers = made_answers()
    correct = answers.gender == answers.predicted
    curve = compute_coverage(answers)
    assert len(curve.threshold) == len(np.unique(answers.confidence))
    assert curve.fraction[-1] == 1
    assert curve.accuracy[-1] == pytest.approx(correct.mean())
    reached = answers.confidence >= curve.threshold[20]
    assert curve.fraction[20] == pytest.approx(reached.mean())
    assert curve.accuracy[20] == pytest.approx(correct[reached].mean())
    assert (curve.low <= curve.accuracy).all()
    assert (curve.accuracy <= curve.high).all()


def test_predictions_below_the_threshold_are_unknown_in_the_confusion_matrix() -> None:
    answers = Predictions(
        np.array(["female", "female", "male"]),
        np.array(["female", "male", "male"]),
        np.array([0.9, 0.6, 0.8]),
        {},
    )
    assert compute_confusion(answers, 0.8) == {
        "female": {"female": 1, "male": 0, "unknown": 1},
        "male": {"female": 0, "male": 1, "unknown": 0},
    }


def test_unknown_ages_belong_to_neither_age_group() -> None:
    labels = np.array(["male"] * 4)
    ages = np.array(["", "3-9", "10-19", "70+"])
    answers = Predictions(labels, labels, np.full(4, 0.9), {"age": ages})
    assert accuracy_under_and_over_ten(answers) == {
        "10 and over": wilson_interval(2, 2),
        "under 10": wilson_interval(1, 1),
    }
    assert accuracy_under_and_over_ten(Predictions(labels, labels, np.full(4, 0.9), {})) == {}


def test_the_interval_of_a_difference_equals_a_published_one() -> None:
    """His example: 56 of 70 and 48 of 80, method 10: 0.0524 to 0.3339."""
    found = compute_difference(wilson_interval(56, 70), wilson_interval(48, 80))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert compute_difference(wilson_interval(1, 2), Proportion(0, None, 0.0, 1.0)) is None

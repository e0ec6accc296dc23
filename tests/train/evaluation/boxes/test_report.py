"""The table and the JSON say the same, and all of it."""

from __future__ import annotations

import json
from dataclasses import replace

from image_gender_classifier.train.evaluation.boxes import report
from image_gender_classifier.train.evaluation.boxes.cost import Cost
from image_gender_classifier.train.evaluation.boxes.framing import FrameError
from image_gender_classifier.train.evaluation.boxes.report import Measurement
from image_gender_classifier.train.evaluation.boxes.scoring import SetScore, StageCount
from image_gender_classifier.train.evaluation.boxes.trials import SkippedSet
from image_gender_classifier.train.evaluation.metrics import wilson_interval

FITS = (
    FrameError("lbp", 1.0, 0.01, 0.0),
    FrameError("cnn", 0.9, 0.0, 0.0),
    FrameError("lbp", 1.02, -0.01, 0.02),
)
STREETS = SetScore(
    "streets", wilson_interval(1500, 2000), wilson_interval(1600, 2000),
    {"lbp": StageCount(1700, 1450), "cnn": StageCount(100, 50)}, (), (("torn.jpg", "why"),),
)  # fmt: skip
CROPS = SetScore(
    "crops", wilson_interval(3, 4), wilson_interval(3, 4),
    {"lbp": StageCount(2, 2), "cnn": StageCount(1, 1)}, FITS, (),
)  # fmt: skip
EMPTY = SetScore(
    "empty", wilson_interval(0, 0), wilson_interval(0, 0), {"lbp": StageCount(0, 0)}, (), ()
)
ALL = Measurement(
    "cascade 1a2b", [STREETS, CROPS, EMPTY], [SkippedSet("lfw", "not there")],
    [Cost("streets", 400, 3.0, 2.0)],
)  # fmt: skip


def lines(measurement: Measurement) -> list[str]:
    return report.format_box_report(measurement).splitlines()


def test_each_set_has_a_row() -> None:
    rows = lines(ALL)
    assert rows[:2] == ["detector  cascade 1a2b", "frames    as detected"]
    corrected = lines(replace(ALL, corrected_by="gender.tflite (12ab)"))
    assert corrected[1] == "frames    corrected by gender.tflite (12ab)"
    assert corrected[2:] == rows[2:]
    (streets,) = (row for row in rows if row.startswith("streets") and "of" in row)
    assert streets.split() == [
        "streets", "2,000", "75.0", "%", "73.1", "to", "76.8",
        "lbp", "1,450", "of", "1,700,", "cnn", "50", "of", "100",
    ]  # fmt: skip
    assert rows[rows.index(streets) + 1] == "  and 1 unreadable"
    assert any(row.split() == ["empty", "0", "-", "lbp", "0", "of", "0"] for row in rows)


def test_sets_with_another_correct_face_are_listed() -> None:
    rows = lines(ALL)
    at = rows.index("any of the detected faces is correct")
    assert rows[at + 1].split() == ["streets", "2,000", "80.0", "%", "78.2", "to", "81.7"]
    assert rows[at + 2] == ""
    assert "any of" not in report.format_box_report(Measurement("cascade", [CROPS], [], []))


def test_frame_errors_are_listed_by_stage() -> None:
    rows = lines(ALL)
    at = next(place for place, row in enumerate(rows) if row.startswith("frame errors"))
    assert "5, 50, 95" in rows[at]
    assert "0.92 to 1.08" in rows[at + 1]
    assert rows[at + 3].split()[:5] == ["crops", "3", "0.910", "1.000", "1.018"]
    assert rows[at + 4].split()[:2] == ["lbp", "2"]
    assert rows[at + 5].split()[:2] == ["cnn", "1"]


def test_costs_are_listed() -> None:
    assert lines(ALL)[-1].split() == ["streets", "400", "3.00", "2.00", "1.50"]
    assert "CPU" not in report.format_box_report(Measurement("cascade", [CROPS], [], []))


def test_the_json_contains_all_results() -> None:
    content = json.loads(report.box_report_to_json(ALL))
    assert list(content) == ["detector", "corrected_by", "sets", "skipped", "cost"]
    streets = content["sets"]["streets"]
    assert streets["right"]["value"] == 0.75
    assert streets["any_right"]["value"] == 0.8
    assert streets["stages"]["cnn"] == {"found": 100, "right": 50}
    assert streets["unreadable"] == 1
    assert "framing" not in streets
    framing = content["sets"]["crops"]["framing"]
    assert framing["percentiles"] == [5, 50, 95]
    assert framing["all"]["n"] == 3
    assert framing["stages"]["lbp"]["n"] == 2
    assert framing["meets_targets"] is False
    assert content["sets"]["empty"]["right"]["value"] is None
    assert content["skipped"] == {"lfw": "not there"}
    assert content["cost"]["streets"] == {
        "pictures": 400, "milliseconds": 3.0, "lbp160_milliseconds": 2.0, "ratio": 1.5,
    }  # fmt: skip

"""The command from end to end, on pictures made here."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from image_gender_classifier.train.common.detector_option import detector_cache_key
from image_gender_classifier.train.evaluation.boxes import cli


def run(*options: object) -> int:
    return cli.main([str(option) for option in options])


def test_all_sets_are_evaluated(
    portraits: Path, fairface: Path, backgrounds: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / "boxes.json"
    code = run(
        "--data", portraits, "--fairface", fairface, "--backgrounds", backgrounds,
        "--json", file, "--time",
    )  # fmt: skip
    printed = capsys.readouterr()
    assert code == 0
    assert "skipped" not in printed.err
    content = json.loads(file.read_text("utf-8"))
    assert content["detector"] == detector_cache_key("network")
    assert content["corrected_by"].startswith("gender_int8.")
    assert len(content["sets"]) == 21
    assert set(content["cost"]) == {"lfw", "caltech_faces", "no_face"}
    assert list(content["sets"]["lfw"]["stages"]) == ["cnn"]
    for name in content["sets"]:
        assert name in printed.out


def test_frames_can_be_measured_as_detected(portraits: Path, tmp_path: Path) -> None:
    file = tmp_path / "boxes.json"
    assert run("--data", portraits, "--detected-frames", "--json", file) == 0
    assert json.loads(file.read_text("utf-8"))["corrected_by"] is None


def test_the_detector_none_treats_pictures_as_faces(
    portraits: Path, fairface: Path, tmp_path: Path
) -> None:
    """The detector that takes every picture for a face has figures known beforehand."""
    file = tmp_path / "boxes.json"
    assert (
        run("--data", portraits, "--fairface", fairface, "--detector", "none", "--json", file) == 0
    )
    content = json.loads(file.read_text("utf-8"))
    right = {name: one["right"]["value"] for name, one in content["sets"].items()}
    assert right["no_face"] == right["lfw"] == 0
    assert right["tight crops"] == right["caltech_faces"] == 1
    framing = content["sets"]["tight crops"]["framing"]
    assert framing["all"] == {"n": 3, "side": [1] * 3, "right": [0] * 3, "down": [0] * 3}
    assert framing["meets_targets"]
    assert content["cost"] == {}


def test_missing_sets_are_reported(portraits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", portraits, "--detector", "none") == 0
    errors = capsys.readouterr().err
    assert "tight crops: skipped, --fairface is required" in errors
    assert "composites: skipped" in errors


def test_runtime_and_smallest_face_can_be_chosen(portraits: Path, tmp_path: Path) -> None:
    keys = set()
    for options in ((), ("--runtime", "onnx"), ("--min-face", "0.08")):
        file = tmp_path / "boxes.json"
        assert run("--data", portraits, "--json", file, *options) == 0
        keys.add(json.loads(file.read_text("utf-8"))["detector"])
    assert len(keys) == 3
    assert run("--data", portraits, "--min-face", "0") == 2


def test_unreadable_pictures_are_counted(
    portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "portraits"
    copytree(portraits, copy)
    (copy / "no_face" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    file = tmp_path / "boxes.json"
    assert run("--data", copy, "--detector", "none", "--json", file) == 0
    assert "no_face: torn.jpg: " in capsys.readouterr().err
    empty = json.loads(file.read_text("utf-8"))["sets"]["no_face"]
    assert (empty["unreadable"], empty["right"]["n"]) == (1, 1)


def test_a_missing_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", tmp_path / "nowhere") == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[-1].endswith("lfw, caltech_faces, wider and no_face")
    assert len(errors) == 7


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--data", "x", "--detector", "magic"),
        ("--data", "x", "--json", "no/such/folder/boxes.json"),
        ("--data", "x", "--json", "."),
    ],
)
def test_a_usage_error_is_one_line_with_exit_code_2(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*options) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"{cli.PROGRAM}: ")
    assert errors.count("\n") == 1


def test_an_invalid_table_of_boxes_is_an_error(
    portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "portraits"
    copytree(portraits, copy)
    (copy / "wider" / "boxes.csv").write_text("file,x\n")
    assert run("--data", copy) == 2
    assert "boxes.csv" in capsys.readouterr().err


@pytest.mark.parametrize("detector", ["lbp", "none"])
def test_a_runtime_without_a_network_is_refused(
    portraits: Path, detector: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--data", portraits, "--detector", detector, "--runtime", "onnx") == 2
    assert f"--runtime has no effect with --detector {detector}" in capsys.readouterr().err

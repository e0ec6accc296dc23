"""`--teacher`: which classifiers are accepted, and that they teach."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from crop_folders import FOLDERS
from model_entries import write_manifest
from recipes import write_changed_recipe

from image_gender_classifier import manifest
from image_gender_classifier.train.gender import cli


def train(*options: str | Path) -> int:
    return cli.main([str(option) for option in options])


@pytest.fixture
def taught_recipe(tiny_file: Path, tmp_path: Path) -> Path:
    """A recipe whose student learns from labels and from the classifier of `trained`."""
    return write_changed_recipe(
        tiny_file,
        tmp_path / "taught.toml",
        ("stored_size = 40", "stored_size = 96"),
        ("held_out = 0.2", "held_out = 0.05"),
        ("distilled = true", "distilled = false\nlabel_weight = 0.5"),
    )


@pytest.mark.usefixtures("eagerly")
def test_trained_classifiers_can_teach_new_and_fine_tuned_ones(
    trained: Path, drawn_faces: Path, taught_recipe: Path, tmp_path: Path
) -> None:
    teacher, data = trained / "gender.keras", ("--data", drawn_faces, *FOLDERS)
    new = (*data, "--recipe", taught_recipe, "--without-teachers", "--out", tmp_path / "new")
    assert train(*new, "--teacher", teacher) == 0
    record = manifest.load(tmp_path / "new").models["gender.keras"].trained
    assert record["trained_teachers"] == [manifest.find_model(teacher).sha256]
    tuning = tmp_path / "tuning.toml"
    tuning.write_text("held_out = 0.05\nepochs = 1\nwarmup_epochs = 0.5\nviews = 1\nmixed = 0.5")
    start = tmp_path / "new" / "gender.keras"
    tuned = (*data, "--from", start, "--recipe", tuning, "--out", tmp_path / "tuned")
    assert train(*tuned, "--teacher", start, "--teacher", teacher) == 0
    assert (
        len(manifest.load(tmp_path / "tuned").models["gender.keras"].trained["trained_teachers"])
        == 2
    )


@pytest.mark.usefixtures("eagerly")
def test_a_run_cannot_be_resumed_with_other_teachers(
    trained: Path,
    drawn_faces: Path,
    taught_recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from image_gender_classifier.train.gender import new_model

    teacher, out = trained / "gender.keras", tmp_path / "out"
    options = ("--data", drawn_faces, *FOLDERS, "--recipe", taught_recipe, "--out", out)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(new_model, "train", interrupt)
        assert train(*options, "--teacher", teacher) == 130
    assert train(*options, "--resume", "--teacher", teacher, "--teacher", teacher) == 2
    assert "other data or options (trained_teachers)" in capsys.readouterr().err


@pytest.fixture
def few(tmp_path: Path, trained: Path, drawn_faces: Path) -> tuple[str | Path, ...]:
    """Options for a fine-tuning that must not begin."""
    return ("--data", drawn_faces, *FOLDERS, "--from", "shipped", "--out", tmp_path / "out")


def test_a_teacher_without_effect_is_refused(
    few: tuple[str | Path, ...],
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = tmp_path / "labels.toml"
    labels.write_text("label_weight = 1.0")
    assert train(*few, "--recipe", labels, "--teacher", trained / "gender.keras") == 2
    assert "--teacher has no effect: label_weight is 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_recipe_that_needs_a_teacher_is_refused_without(
    drawn_faces: Path, taught_recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--data", drawn_faces, *FOLDERS, "--recipe", taught_recipe)
    assert train(*options, "--out", tmp_path / "out") == 2
    assert "of another classifier; give it with --teacher" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gender_int8.tflite", "is not a file *.keras"),
        ("absent.keras", "absent.keras: no such file"),
    ],
)
def test_other_files_are_refused(
    name: str,
    message: str,
    few: tuple[str | Path, ...],
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train(*few, "--teacher", tmp_path / name) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_teacher_for_larger_crops_is_refused(
    few: tuple[str | Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "large").mkdir()
    path = tmp_path / "large" / "gender.keras"
    path.write_bytes(b"weights")
    write_manifest(path, 160)
    assert train(*few, "--teacher", path) == 2
    assert "stored_size = 128 in the recipe; set it to 160" in capsys.readouterr().err


def test_a_teacher_is_not_replaced(
    drawn_faces: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained, tmp_path / "out")
    options = ("--data", drawn_faces, *FOLDERS, "--from", "shipped", "--out", tmp_path / "out")
    assert train(*options, "--teacher", tmp_path / "out" / "gender.keras") == 2
    assert "would replace" in capsys.readouterr().err


def test_cross_validation_and_known_pictures_are_refused(
    few: tuple[str | Path, ...],
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    teacher = ("--teacher", trained / "gender.keras")
    assert train(*few, *teacher, "--folds", "5") == 2
    assert "--folds measures on all pictures" in capsys.readouterr().err
    more = tmp_path / "more.toml"
    more.write_text("held_out = 0.9")
    assert train(*few, *teacher, "--recipe", more) == 2
    assert "known to the model; give a --recipe with held_out" in capsys.readouterr().err

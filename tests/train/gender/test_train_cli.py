"""`image-gender-train` end to end on pictures made here, and everything that it refuses."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from crop_folders import FOLDERS
from recipes import write_changed_recipe
from training_pictures import write_gender_folders

pytest.importorskip("keras")
from training_runs import assert_same_weights, read_weights

from image_gender_classifier import manifest
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.train.common.history import read_history
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import read_data_set
from image_gender_classifier.train.evaluation import evaluate
from image_gender_classifier.train.gender import cli
from image_gender_classifier.train.gender.recipe import Recipe, load_gender_recipe
from image_gender_classifier.train.gender.run_inputs import Run, describe_run
from image_gender_classifier.train.gender.start import load_recipe_with_options

TRAIN_CSV = "fairface_label_train.csv"


def train(*options: str | Path) -> int:
    return cli.main([str(option) for option in options])


def evaluated(model: Path, *options: str | Path) -> dict[str, Any]:
    """Runs `image-gender-evaluate`; gives its JSON."""
    path = model.parent / "figures.json"
    given = [str(option) for option in ("--model", model, "--json", path, *options)]
    assert evaluate.main(given) == 0
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def test_a_run_writes_model_manifest_history_and_curves(trained: Path, short_file: Path) -> None:
    assert [row["epoch"] for row in read_history(trained / "student")] == [0, 1]
    curves = trained / "student" / "learning_curves.png"
    assert curves.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert cv2.imread(str(curves)) is not None
    entry = manifest.load(trained).models["gender.keras"]
    assert manifest.read_verified(trained, entry)
    assert entry.trained["command"].startswith("image-gender-train --data ")
    recipe = json.loads(json.dumps(asdict(load_gender_recipe(short_file))))
    assert (entry.trained["samples"], entry.trained["recipe"]) == (200, recipe)
    assert entry.measured["held_out"]["n"] == 7


def test_the_model_learns(trained: Path, drawn_faces: Path) -> None:
    figures = evaluated(trained / "gender.keras", "--data", drawn_faces, *FOLDERS)
    assert (figures["n"], figures["predicted"]) == (200, 200)
    assert figures["accuracy"]["value"] > 0.9


def test_a_resumed_run_equals_an_uninterrupted_one(
    drawn_faces: Path,
    tiny_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Teacher and student; the interruption comes after the student's first epoch."""
    from image_gender_classifier.train.gender import batches

    data = ("--data", drawn_faces, *FOLDERS, "--recipe", tiny_file)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert train(*data, "--out", whole) == 0
    make, epochs = batches.EpochBatches, itertools.count()

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if next(epochs) == load_gender_recipe(tiny_file).teachers[0].epochs + 1:
            raise KeyboardInterrupt
        return make(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "EpochBatches", interrupted)
        assert train(*data, "--out", stopped) == 130
    assert capsys.readouterr().err.endswith("interrupted; the same command with --resume goes on\n")
    assert not (stopped / "gender.keras").exists()
    assert read_history(stopped / "student") == read_history(whole / "student")[:1]

    assert train(*data, "--out", stopped) == 2
    assert "already contains a run; use --resume" in capsys.readouterr().err
    other = write_changed_recipe(tiny_file, tmp_path / "other.toml", ("views = 2", "views = 3"))
    for options, named in (
        (("--seed", "2"), "seed"),
        (("--without-teachers",), "distilled, teachers"),
        (("--detector", "cascade"), "detector"),
        (("--recipe", other), "views"),
    ):
        assert train(*data, "--out", stopped, "--resume", *options) == 2
        assert f"other data or options ({named})" in capsys.readouterr().err
    assert read_history(stopped / "student") == read_history(whole / "student")[:1]

    assert train(*data, "--out", stopped, "--resume") == 0
    assert read_history(stopped / "student") == read_history(whole / "student")
    for stage in ("teacher_1", "student"):
        assert (stopped / stage / "learning_curves.png").exists()
    assert manifest.load(stopped).models["gender.keras"].measured
    assert_same_weights(*(read_weights(folder / "gender.keras") for folder in (stopped, whole)))


@pytest.mark.usefixtures("eagerly")
def test_pictures_by_user_id_can_be_trained_and_evaluated(
    drawn_faces: Path, tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One picture of them is damaged; the label file has columns of other names."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    rows = ["nick;sex"]
    for path in sorted(drawn_faces.glob("*/*.png"))[40:160]:
        shutil.copy(path, pictures / f"u{path.name}")
        rows.append(f"u{path.stem};{path.parent.name[0]}")
    damaged = rows[7].partition(";")[0]
    (pictures / f"{damaged}.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(rows) + "\n")
    data = (
        *("--data", pictures, "--layout", "user-id", "--labels", labels),
        *("--id-column", "nick", "--detector", "none"),
    )
    out = tmp_path / "deep" / "out"
    recipe = ("--recipe", tiny_file, "--without-teachers", "--seed", "7")
    assert train(*data, "--out", out, *recipe, "--license", "MIT") == 0
    assert f"skipped: unreadable: 1 ('{damaged}" in capsys.readouterr().out
    entry = manifest.load(out).models["gender.keras"]
    assert entry.license == "MIT"
    assert (entry.trained["recipe"]["seed"], entry.trained["recipe"]["teachers"]) == (7, [])
    assert not (out / "teacher_1").exists()
    assert len(read_history(out / "student")) == 2
    figures = evaluated(out / "gender.keras", *data)
    assert (figures["n"], figures["unreadable"]) == (120, 1)


@pytest.mark.usefixtures("eagerly")
def test_fairface_trains_all_heads(shared: Path, tiny_file: Path, tmp_path: Path) -> None:
    data = tmp_path / "fairface"
    data.mkdir()
    (data / "train").symlink_to(shared / "fairface" / "train")
    with (shared / "fairface" / TRAIN_CSV).open() as file:
        (data / TRAIN_CSV).write_text("".join(islice(file, 121)))
    out = tmp_path / "out"
    options = ("--out", out, "--recipe", tiny_file)
    assert train("--data", data, "--layout", "fairface", *options) == 0
    assert {"age_loss", "race_loss", "gender_loss"} <= set(read_history(out / "student")[1])
    figures = evaluated(
        out / "gender.keras", "--data", data, "--layout", "fairface", "--split", "train"
    )
    assert figures["predicted"] == 120
    assert len(figures["groups"]["race"]) == 7
    assert (out / "student" / "learning_curves.png").stat().st_size > 1000
    with np.load(out / "teacher_1" / "answers" / "view_000.npz") as answers:
        shapes = {head: answers[head].shape[1] for head in answers.files}
    assert shapes == {"gender": 1, "race": 7, "age": 9}


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Two pictures, neither of them held out."""
    return write_gender_folders(tmp_path / "few", np.zeros((30, 30, 3), np.uint8), "b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from-scratch"], "unrecognized arguments: --from-scratch"),
        (["--seed", "many"], "invalid int value: 'many'"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "4294967296"], "--seed"),
        (["--recipe", "absent.toml"], "absent.toml: the recipe cannot be read"),
        (["--layout", "user-id"], "requires --labels"),
        (["--layout", "utkface"], "age_gender_race_date"),
        (["--detector", "dlib"], "--detector"),
        (["--labels", "x.csv"], "--labels can only be used with --layout user-id, not"),
    ],
)
def test_a_usage_error_is_one_line_with_exit_code_2(
    options: list[str],
    message: str,
    few: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert train("--data", few, *FOLDERS, "--out", out, *options) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.startswith("image-gender-train: ")
    assert shown.count("\n") == 1
    assert not out.exists()


def test_an_invalid_recipe_is_one_line_with_exit_code_2(
    few: Path, tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change = ("dropout = 0.2", "dropout = 7")
    out, path = tmp_path / "out", write_changed_recipe(tiny_file, tmp_path / "recipe.toml", change)
    options = (*FOLDERS, "--out", out, "--recipe", path)
    assert train("--data", few, *options) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"image-gender-train: {path}: teachers.0.dropout: ")
    assert shown.count("\n") == 1
    assert not out.exists()


def test_options_override_the_recipe(few: Path, short_file: Path) -> None:
    def recipe_of(*options: str | Path) -> Recipe:
        given = ("--data", few, *FOLDERS, "--out", few, *options)
        parsed = cli.parse_options([str(option) for option in given])
        return load_recipe_with_options(parsed, parsed.start or "imagenet")

    shipped, short = load_gender_recipe(), load_gender_recipe(short_file)
    assert recipe_of() == shipped
    on_labels = replace(shipped.student, distilled=False)
    assert recipe_of("--without-teachers") == replace(shipped, teachers=(), student=on_labels)
    assert recipe_of("--from", "random") == replace(shipped, pretrained=False)
    assert recipe_of("--recipe", short_file) == short
    assert recipe_of("--recipe", short_file, "--seed", "0") == replace(short, seed=0)


def test_too_few_pictures_to_hold_some_out_are_refused(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert train("--data", few, *FOLDERS, "--out", out) == 2
    shown = capsys.readouterr().err
    assert "none of the crops (2) would be held out" in shown
    assert shown.count("\n") == 1


def test_pictures_without_any_face_are_refused(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (*FOLDERS, "--out", tmp_path / "out", "--detector", "cascade")
    assert train("--data", few, *options) == 2
    shown = capsys.readouterr()
    assert "skipped: no face: 2 ('female/b.png', 'male/b.png')\n" in shown.out
    assert "no face found in 2 pictures; check --detector" in shown.err
    assert shown.err.count("\n") == 1


def test_pictures_that_cannot_be_read_are_refused(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for gender in ("female", "male"):
        (few / gender / "b.png").write_bytes(b"damaged")
    assert train("--data", few, *FOLDERS, "--out", tmp_path / "out") == 2
    shown = capsys.readouterr().err
    assert "no picture can be read (2 tried)" in shown
    assert shown.count("\n") == 1


def one_gender(layout: str, root: Path) -> tuple[str | Path, ...]:
    """Female pictures alone, laid out in each way; gives the options."""
    root.mkdir()
    names = {
        "fairface": "train/{}.png",
        "utkface": "30_1_0_{}.png",
        "folders": "female/{}.png",
        "user-id": "{}.png",
    }
    rows = []
    for number in range(1, 4):
        path = root / names[layout].format(number)
        path.parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(path), np.zeros((30, 30, 3), np.uint8))
        rows.append(str(path.relative_to(root)))
    if layout == "fairface":
        lines = ["file,age,gender,race", *(f"{row},3-9,Female,White" for row in rows)]
        (root / TRAIN_CSV).write_text("\n".join(lines))
    further: tuple[str | Path, ...] = ()
    if layout == "user-id":
        (root / "labels.csv").write_text("id,sex\n1,f\n2,f\n3,f\n")
        further = ("--labels", root / "labels.csv")
    return ("--data", root, "--layout", layout, *further)


@pytest.mark.parametrize("layout", ["fairface", "utkface", "folders", "user-id"])
def test_one_gender_alone_is_refused_for_training_only(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    data = one_gender(layout, tmp_path / "data")
    assert train(*data, "--out", out) == 2
    shown = capsys.readouterr().err
    assert "the samples are all female (3); add pictures of the other gender" in shown
    assert shown.count("\n") == 1
    assert not out.exists()
    assert evaluate.main([str(option) for option in (*data, "--split", "all")]) == 0


def test_training_crops_of_one_gender_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures of the other one are there, but all of them are held out."""
    root, names = tmp_path / "data", (f"{number}.png" for number in range(1000))
    held_out = next(name for name in names if is_held_out(f"male/{name}"))
    for name in ("female/b.png", f"male/{held_out}"):
        (root / name).parent.mkdir(parents=True)
        assert cv2.imwrite(str(root / name), np.zeros((30, 30, 3), np.uint8))
    assert train("--data", root, *FOLDERS, "--out", tmp_path / "out") == 2
    assert "the training crops are all female (1)" in capsys.readouterr().err


@pytest.mark.parametrize("detector", ["none", "cascade"])
def test_a_failed_start_does_not_block_the_folder(
    detector: str, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ("--data", few, *FOLDERS, "--out", out, "--detector", detector)
    for _ in range(2):
        assert train(*options) == 2
        assert "already contains a run" not in capsys.readouterr().err
    assert not (out / "run.json").exists()


def test_another_run_is_refused_before_anything_is_cut(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text("{}")
    options = ("--data", few, *FOLDERS, "--out", tmp_path)
    assert train(*options, "--resume") == 2
    assert "other data or options" in capsys.readouterr().err
    assert train(*options) == 2
    assert "already contains a run" in capsys.readouterr().err
    assert not list(tmp_path.glob("crops_*"))


def test_a_damaged_manifest_in_the_folder_is_reported_before_anything_is_cut(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After hours of training the model could not be entered."""
    (tmp_path / manifest.NAME).write_text("{")
    assert train("--data", few, *FOLDERS, "--out", tmp_path) == 2
    assert "not valid JSON" in capsys.readouterr().err
    assert not list(tmp_path.glob("crops_*"))


def test_a_changed_picture_changes_the_run(few: Path, tiny_recipe: Recipe) -> None:
    options = cli.parse_options(["--data", str(few), *FOLDERS, "--out", str(few)])

    def run() -> Run:
        return describe_run(read_data_set("folders", few, "all"), options, tiny_recipe, [])

    before = run()
    assert run() == before
    picture = few / "female" / "b.png"
    content, times = picture.read_bytes(), (picture.stat().st_atime_ns, picture.stat().st_mtime_ns)
    picture.write_bytes(content[::-1])  # of the same size
    os.utime(picture, ns=times)
    assert run() != before
    assert replace(run(), pictures=before.pictures) == before
    picture.write_bytes(content)
    assert run() == before
    picture.write_bytes(b"")
    assert run() != before


@pytest.mark.usefixtures("eagerly")
def test_an_evaluation_on_training_pictures_is_reported(
    trained: Path, drawn_faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "includes pictures that the model was trained on\n"
    data = ("--data", drawn_faces, *FOLDERS)

    def reported(*options: str | Path) -> bool:
        capsys.readouterr()
        evaluated(trained / "gender.keras", *options)
        return line in capsys.readouterr().err

    assert reported(*data)
    assert reported(*data, "--split", "train")
    assert not reported(*data, "--split", "val")
    other = tmp_path / "other"
    shutil.copytree(drawn_faces, other)
    assert reported("--data", other, *FOLDERS), "the same pictures elsewhere"
    next((other / "male").iterdir()).unlink()
    assert not reported("--data", other, *FOLDERS)


def test_a_file_as_output_folder_is_refused(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert train("--data", few, *FOLDERS, "--out", out) == 2
        shown = capsys.readouterr().err
        assert str(out) in shown
        assert shown.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("content", ["", "{", "[]", "\udcff"])
def test_a_corrupt_run_record_is_refused(
    content: str, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    options = ("--data", few, *FOLDERS, "--out", tmp_path, "--resume")
    assert train(*options) == 2
    shown = capsys.readouterr().err
    assert "unreadable record" in shown
    assert shown.count("\n") == 1


def test_names_that_the_terminal_cannot_encode_are_no_error(few: Path, tmp_path: Path) -> None:
    """The crops are cut by then; to break off because of a print would be a pity."""
    import os

    (few / "female" / os.fsdecode(b"\xff\xc3\xa9.png")).write_bytes(b"damaged")
    code = (
        "from image_gender_classifier.train.gender import cli;"
        f"raise SystemExit(cli.main(['--data', {str(few)!r}, '--layout', 'folders',"
        f" '--detector', 'none', '--out', {str(tmp_path / 'out')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "skipped: unreadable: 1 ('female/\\udcff?.png')" in done.stdout
    assert "would be held out" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_locked_output_folder_is_refused(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with lock_folders([out]):
        assert train("--data", few, *FOLDERS, "--out", out) == 2
    assert "another run" in capsys.readouterr().err
    assert not list(out.iterdir())

"""The command measures real model files, end to end, on pictures made here.

The models' weights are set by hand so that bright pictures are female and dark ones male: every
figure is known beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from brightness import GAIN, SIDE, make_onnx, write_fairface, write_picture
from model_entries import write_manifest

from image_gender_classifier import loading, manifest
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection.whole_picture import WholePicture
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Face
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.datasets import read_data_set
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample
from image_gender_classifier.train.evaluation import evaluate
from image_gender_classifier.train.evaluation.metrics import wilson_interval
from image_gender_classifier.train.evaluation.predictions import BATCH, classify_samples

KEYS = {
    *("model", "sha256", "data", "layout", "split", "detector", "threshold", "degradation"),
    *("n", "predicted", "accuracy", "tpr", "balanced_accuracy", "groups", "ece"),
    *("classified", "no_face", "unreadable", "accuracy_all"),
}
# Age, gender, race and whether the picture is bright; the last row of each gender is mistaken.
ROWS = [
    ("20-29", "Female", "Black", True),
    ("3-9", "Female", "White", True),
    ("more than 70", "Female", "Black", False),
    ("3-9", "Male", "Black", False),
    ("20-29", "Male", "White", False),
    ("70+", "Male", "White", False),
    ("10-19", "Male", "White", True),
]


def make_keras(folder: Path, outputs: int = 1) -> Path:
    keras = pytest.importorskip("keras")
    pixels = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 128, -1.0)(pixels)
    x = keras.layers.Conv2D(2, 3, kernel_initializer=keras.initializers.Constant(1 / 27))(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    dense = [
        keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(GAIN / 2))
        for _ in range(outputs)
    ]
    heads = {f"head{number}": layer(x) for number, layer in enumerate(dense)}
    path = folder / "tiny.keras"
    keras.Model(pixels, heads if outputs > 1 else heads["head0"]).save(path)
    return write_manifest(path, SIDE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_fairface(tmp_path / "data", ROWS)


def run(model: Path, data: Path, *further: str) -> dict[str, Any]:
    """Runs the command; gives its JSON."""
    path = data / "figures.json"
    options = ["--model", str(model), "--data", str(data), "--json", str(path), *further]
    if "--layout" not in further:
        options += ["--layout", "fairface"]
    assert evaluate.main(options) == 0
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def interval(successes: int, n: int) -> dict[str, float | None]:
    share = wilson_interval(successes, n)
    return {"value": share.value, "low": share.low, "high": share.high}


def cell(successes: int, n: int) -> dict[str, float | None]:
    return {"n": n, **interval(successes, n)}


def approx(content: Any) -> Any:
    """Approx through any depth of mappings."""
    if isinstance(content, dict):
        return {key: approx(value) for key, value in content.items()}
    return pytest.approx(content)


@pytest.mark.parametrize("make", [make_keras, make_onnx])
def test_the_json_contains_all_figures(
    make: Callable[[Path], Path], data: Path, tmp_path: Path
) -> None:
    model = make(tmp_path)
    figures = run(model, data)
    assert set(figures) == KEYS
    assert (figures["model"], figures["data"]) == (model.name, str(data))
    assert (figures["layout"], figures["split"], figures["detector"]) == ("fairface", "val", "none")
    assert (figures["n"], figures["predicted"], figures["unreadable"]) == (7, 7, 0)
    assert figures["accuracy"] == figures["accuracy_all"] == approx(interval(5, 7))
    assert figures["tpr"] == approx({"female": cell(2, 3), "male": cell(3, 4)})
    assert figures["balanced_accuracy"] == approx((2 / 3 + 3 / 4) / 2)
    assert figures["groups"] == approx(
        {
            "age": {
                "3-9": cell(2, 2),
                "10-19": cell(0, 1),
                "20-29": cell(2, 2),
                "70+": cell(1, 2),
            },
            "race": {"Black": cell(2, 3), "White": cell(3, 4)},
            "race × gender": {
                "Black female": cell(1, 2),
                "Black male": cell(1, 1),
                "White female": cell(1, 1),
                "White male": cell(2, 3),
            },
        }
    )
    assert list(figures["groups"]["age"]) == ["3-9", "10-19", "20-29", "70+"]
    assert figures["classified"] == approx({"share": 1.0, "accuracy": 5 / 7})
    assert figures["no_face"] == 0.0
    # Every answer is near certain, so the error is nearly the share of wrong ones.
    assert figures["ece"] == pytest.approx(2 / 7, abs=0.02)


def test_keras_and_onnx_have_equal_scores(data: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "keras", tmp_path / "onnx"]
    for folder in folders:
        folder.mkdir()
    keras, onnx = run(make_keras(folders[0]), data), run(make_onnx(folders[1]), data)
    assert keras["ece"] == pytest.approx(onnx["ece"], abs=1e-2)
    assert keras["groups"] == onnx["groups"]


def test_the_table_names_the_group_with_the_lowest_accuracy(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(make_onnx(tmp_path), data)
    shown = capsys.readouterr()
    assert "lowest race × gender cell: Black female, 1 of 2 (9.5 to 90.5)" in shown.out
    assert "all pictures                              7    5 of 7" in shown.out
    assert shown.err == "image-gender-evaluate: 7 samples (3 female)\n"


def test_the_manifest_defines_the_positive_gender(data: Path, tmp_path: Path) -> None:
    figures = run(make_onnx(tmp_path, positive="male", negative="female"), data)
    assert figures["accuracy"] == approx(interval(2, 7))


def test_the_threshold_changes_only_the_classified_fraction(data: Path, tmp_path: Path) -> None:
    model = make_onnx(tmp_path, gain=2.0)
    own = run(model, data)
    none = run(model, data, "--threshold", "1")
    some = run(model, data, "--threshold", "0.5")
    assert (own["threshold"], none["threshold"], some["threshold"]) == (0.8, 1.0, 0.5)
    assert none["classified"] == {"share": 0.0, "accuracy": None}
    assert some["classified"] == approx({"share": 1.0, "accuracy": 5 / 7})
    for name in KEYS - {"classified", "threshold"}:
        assert own[name] == none[name] == some[name]


def test_unreadable_pictures_are_named_and_count_as_wrong(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "val" / "0.png").write_bytes(b"")
    figures = run(make_onnx(tmp_path), data)
    assert (figures["n"], figures["predicted"], figures["unreadable"]) == (7, 6, 1)
    assert figures["accuracy"] == approx(interval(4, 6))
    assert figures["accuracy_all"] == approx(interval(4, 7))
    assert figures["no_face"] == 0.0
    shown = capsys.readouterr()
    assert "image-gender-evaluate: val/0.png: " in shown.err
    assert "all (no prediction is wrong)              7    4 of 7" in shown.out


def test_without_a_readable_picture_there_is_an_error(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for picture in data.rglob("*.png"):
        picture.write_bytes(b"torn")
    options = ["--model", str(make_onnx(tmp_path)), "--data", str(data), "--layout", "fairface"]
    assert evaluate.main(options) == 2
    assert "no picture can be read (" in capsys.readouterr().err


def test_the_cascade_counts_pictures_without_a_face(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(make_onnx(tmp_path), data, "--detector", "lbp")
    assert set(figures) == KEYS
    assert (figures["n"], figures["predicted"], figures["no_face"]) == (7, 0, 1.0)
    assert figures["accuracy"] == {"value": None, "low": 0.0, "high": 1.0}
    assert figures["accuracy_all"] == approx(interval(0, 7))
    assert (figures["groups"], figures["ece"]) == ({}, None)
    assert "detector lbp, no face 100.0 %, unreadable 0" in capsys.readouterr().out


class BrightFaces(WholePicture):
    """Finds a face in bright pictures only."""

    def detect(self, picture: Picture) -> list[Face]:
        return super().detect(picture) if picture.pixels.mean() > 128 else []


def test_predictions_keep_their_labels_over_batches(tmp_path: Path) -> None:
    samples = []
    for number in range(2 * BATCH + 3):
        gender: BinaryGender = "female" if number % 3 else "male"
        path = tmp_path / f"{number}.png"
        write_picture(path, bright=number % 5 > 0, seed=number)
        samples.append(Sample(f"n{number}", path, gender, {"race": "Black"} if number % 2 else {}))
    classifier = loading.open_classifier(make_onnx(tmp_path))
    outcome = classify_samples(samples, BrightFaces(), classifier)
    found = [sample for number, sample in enumerate(samples) if number % 5]
    assert outcome.predictions.gender.tolist() == [sample.gender for sample in found]
    assert outcome.predictions.predicted.tolist() == ["female"] * len(found)
    races = [sample.groups.get("race", "") for sample in found]
    assert outcome.predictions.groups["race"].tolist() == races
    assert outcome.no_face == tuple(f"n{number}" for number in range(0, len(samples), 5))
    assert ((outcome.predictions.confidence >= 0.5) & (outcome.predictions.confidence <= 1)).all()


def test_a_model_with_nan_outputs_is_refused(data: Path, tmp_path: Path) -> None:
    model = make_onnx(tmp_path, gain=float("nan"))
    entry = manifest.load(tmp_path).models[model.name]
    classifier = Classifier(open_model("onnx", model.read_bytes()), entry)
    sample = Sample("a", data / "val" / "0.png", "female")
    with pytest.raises(
        ModelError, match=r"tiny\.onnx: the output is not one finite number per crop"
    ):
        classify_samples([sample], WholePicture(), classifier)


def test_user_ids_are_read_with_their_label_file(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    write_picture(pictures / "alice.png", bright=True)
    write_picture(pictures / "bob.png", bright=True)
    labels = tmp_path / "labels.csv"
    labels.write_text("who;what\nalice;1\nbob;0\n")
    figures = run(
        *(make_onnx(tmp_path), pictures, "--layout", "user-id", "--labels", str(labels)),
        *("--id-column", "who", "--gender-column", "what", "--zero-is", "male"),
        *("--detector", "none"),
    )
    assert (figures["split"], figures["groups"]) == ("all", {})
    assert figures["tpr"] == approx({"female": cell(1, 1), "male": cell(0, 1)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layout", "utkface"], "expected names like 26_0_2"),
        (["--layout", "fairface", "--split", "train"], "fairface_label_train.csv"),
        (["--layout", "user-id"], "user-id requires --labels"),
        (["--layout", "fairface", "--zero-is", "male"], "--zero-is require --labels"),
        (
            ["--layout", "fairface", "--labels", "x.csv"],
            "--labels can only be used with --layout user-id, not",
        ),
        (["--layout", "fairface", "--threshold", "nan"], "'nan' is not a number from 0 to 1"),
        (["--layout", "fairface", "--threshold", "x"], "'x' is not a number from 0 to 1"),
        (
            ["--layout", "fairface", "--model", "gender.h5"],
            "gender.h5: expected a .keras, .tflite or .onnx",
        ),
        (["--layout", "fairface", "--json", "/nowhere/x.json"], "/nowhere does not exist"),
        (["--layout", "fairface", "--json", "."], "this is a folder"),
        (["--layout", "elsewhere"], "(see image-gender-evaluate --help)"),
        ([], "--layout"),
    ],
)
def test_an_error_is_one_line_with_exit_code_2(
    options: list[str],
    message: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = make_onnx(tmp_path)
    assert evaluate.main(["--model", str(model), "--data", str(data), *options]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("image-gender-evaluate: ")
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_a_model_to_compare_with_an_unknown_format_is_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", str(make_onnx(tmp_path)), "--data", str(data), "--layout", "fairface"]
    assert evaluate.main([*options, "--compare", "other.pt"]) == 2
    assert "--compare other.pt: expected a .keras" in capsys.readouterr().err


def test_an_unusable_keras_file_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("keras")
    options = ["--data", str(data), "--layout", "fairface", "--model"]

    def refused(model: Path) -> str:
        assert evaluate.main([*options, str(model)]) == 2
        shown = capsys.readouterr().err
        assert shown.count("\n") == 1
        return shown

    (tmp_path / "broken.keras").write_bytes(b"no zip")
    assert "Keras cannot load this model" in refused(
        write_manifest(tmp_path / "broken.keras", SIDE)
    )
    assert "no such file" in refused(tmp_path / "other.keras")
    (tmp_path / "other.keras").touch()
    assert "does not list this file" in refused(tmp_path / "other.keras")
    (tmp_path / "broken.keras").write_bytes(b"changed")
    assert "does not match the hash in its manifest" in refused(tmp_path / "broken.keras")
    assert "the model has 2 outputs instead of 1" in refused(make_keras(tmp_path, outputs=2))


def test_hidden_hair_does_not_affect_the_prediction(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dark face in bright hair is female by its hair alone; both models are asked the same."""
    pixels = np.full((96, 96, 3), 255, np.uint8)
    cv2.ellipse(pixels, (48, 48), (32, 39), 0, 0, 360, (0, 0, 0), -1)
    for picture in (data / "val").glob("*.png"):
        cv2.imwrite(str(picture), pixels)
    model = make_onnx(tmp_path)
    seen = run(model, data)
    assert (seen["degradation"], seen["tpr"]["female"]["value"]) == ("original", 1.0)
    for how in ("blur", "colour"):
        capsys.readouterr()
        hidden = run(model, data, "--hide-hair", how, "--compare", str(model))
        assert hidden["tpr"]["female"]["value"] == 0.0
        assert hidden["degradation"] == f"hair hidden by {how}"
        shown = capsys.readouterr().out
        assert f"detector none, hair hidden by {how}" in shown


def test_hidden_hair_and_the_page_of_differences_exclude_each_other(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page would show other predictions than those that were measured."""
    options = ["--data", str(data), "--layout", "fairface", "--hide-hair", "blur"]
    assert evaluate.main([*options, "--differences", str(tmp_path / "page.html")]) == 2
    assert "omit --hide-hair" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("held_out", "split", "warned"),
    [(0.3, "val", False), (0.4, "val", False), (0.1, "val", True), (0.4, "all", True)],
)
def test_warns_if_the_compared_model_was_trained_on_the_pictures(
    held_out: float, split: str, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that held out fewer pictures was trained on some that the evaluated one held out."""
    data = tmp_path / "data"
    for name in ("female", "male"):
        (data / name).mkdir(parents=True)
        for number in range(20):
            write_picture(data / name / f"{number}.png", name == "female", number)
    trained = {
        "data": read_data_set("folders", data, "all").hash_labels(),
        "recipe": {"held_out": held_out},
    }
    (tmp_path / "other").mkdir()
    other = make_onnx(tmp_path / "other")
    write_manifest(other, SIDE, trained=trained)
    model = make_onnx(tmp_path)
    write_manifest(model, SIDE, trained={"data": "0" * 64, "recipe": {"held_out": 0.3}})
    options = ("--layout", "folders", "--detector", "none", "--split", split)
    run(model, data, *options, "--compare", str(other))
    warning = f"the data includes pictures that {other} was trained on\n"
    assert (warning in capsys.readouterr().err) == warned

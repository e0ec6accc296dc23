"""`image-gender-convert` end to end: what it publishes can be used, what is wrong stays out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crop_folders import FOLDERS
from model_entries import write_manifest
from training_pictures import write_gender_folders

pytest.importorskip("tensorflow")

from image_gender_classifier import loading, manifest, pipeline
from image_gender_classifier.convert import cli, float32, gender, onnx, tflite, verify_gender
from image_gender_classifier.detection.whole_picture import WholePicture
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.loading import SHIPPED_STEM, shipped_models
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.train import datasets
from image_gender_classifier.train.common import keras_runtime
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.evaluation import evaluate
from image_gender_classifier.train.gender import calibration
from image_gender_classifier.train.gender import cli as training
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops

Options = tuple[str | Path, ...]
FORMATS = ("gender_int8.tflite", "gender_int8.onnx")


def convert(*options: str | Path) -> int:
    return cli.main([str(option) for option in options])


@pytest.fixture
def quick(exported: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the model and the export opened once and few crops, where numbers are not tested."""
    monkeypatch.setattr(keras_runtime, "open_keras_model", lambda _: exported.keras)
    monkeypatch.setattr(tflite, "quantise", lambda *_: exported.tflite_file)
    monkeypatch.setattr(onnx, "convert_tflite_to_onnx", lambda _, resizable: exported.onnx_file)
    monkeypatch.setattr(gender, "MIN_VERIFICATION_CROPS", 40)
    monkeypatch.setattr(gender, "MIN_CALIBRATION_CROPS", 10)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def drawn(exported: Any, drawn_faces: Path, out: Path) -> Options:
    """The options that convert the exported model on the drawn faces."""
    model = ("--model", exported.keras_path, "--out", out)
    return (*model, "--data", drawn_faces, *FOLDERS)


@pytest.fixture
def one_portrait(samples: Path, tmp_path: Path) -> Options:
    """The options for the sample pictures, of which one is labelled."""
    labels = tmp_path / "labels.csv"
    labels.write_text("user_id,gender\nastronaut,female\n")
    layout = ("--layout", "user-id", "--labels", labels, "--detector", "cascade")
    return ("--data", samples, *layout)


def another_entry(exported: Any, folder: Path, **changes: Any) -> Path:
    """Copies the model with a changed entry in its manifest."""
    shutil.copytree(exported.keras_path.parent, folder)
    path: Path = folder / exported.keras_path.name
    entry = manifest.load(folder).models[path.name]._replace(**changes)
    (folder / manifest.NAME).write_text(manifest.dump(Manifest(folder, {path.name: entry})))
    return path


def test_conversion_publishes_all_files_with_matching_entries(
    exported: Any, drawn_faces: Path
) -> None:
    out, shown = exported.folder, exported.printed
    assert "accuracy on 60 crops: Keras " in shown
    assert all(f"{out / name}: " in shown for name in FORMATS)
    models = manifest.load(out)
    assert set(models.models) == {"gender.keras", *FORMATS}
    for entry in models.models.values():
        data_read = manifest.read_verified(out, entry)
        assert len(data_read) == entry.bytes
    form = models.models[FORMATS[0]].float32_variant
    assert form is not None
    assert f"{out / form.file}: {form.bytes:,} bytes" in shown
    written = float32.convert_to_float32(manifest.read_verified(out, models.models[FORMATS[0]]))
    assert manifest.read_verified(out, form) == written
    assert models.models[FORMATS[1]].float32_variant is None
    of_keras = manifest.load(exported.keras_path.parent).models["gender.keras"]
    assert models.models["gender.keras"] == of_keras
    of_tflite, of_onnx = (models.models[name] for name in FORMATS)
    assert (of_tflite.calibration, of_tflite.threshold, of_tflite.measured) == (
        of_onnx.calibration,
        of_onnx.threshold,
        of_onnx.measured,
    )
    assert (of_tflite.measured["held_out"]["n"], of_keras.measured["held_out"]["n"]) == (7, 7)
    assert "keeping calibration and threshold of gender.keras: 7 held-out crops" in shown
    assert (of_tflite.calibration, of_tflite.threshold) == (
        of_keras.calibration,
        of_keras.threshold,
    )
    assert of_tflite.trained["command"] == of_keras.trained["command"]
    assert of_tflite.trained["converted_by"].startswith("image-gender-convert --model ")
    picture = decoding.read(next((drawn_faces / "female").iterdir()))
    predictions = [
        pipeline.classify(picture, "a", WholePicture(), loading.open_classifier(out / name))
        for name in FORMATS
    ]
    assert predictions[0].faces[0].gender in ("female", "unknown")
    assert predictions[0].confidence == pytest.approx(predictions[1].confidence, abs=0.02)


def test_the_sample_pictures_suffice_for_a_conversion(
    one_portrait: Options,
    face_picture: Path,
    shipped_keras: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(gender, "MIN_VERIFICATION_CROPS", 60)
    monkeypatch.setattr(gender, "MIN_CALIBRATION_CROPS", 20)
    options = ("--model", shipped_keras, "--out", out, "--formats", "tflite")
    assert convert(*options, *one_portrait) == 0
    assert "accuracy on 60 crops" in capsys.readouterr().out
    classifier = loading.open_classifier(out / FORMATS[0])
    picture, detector = decoding.read(face_picture), open_detector("network")
    prediction = pipeline.classify(picture, "astronaut", detector, classifier)
    assert prediction.status == "classified"
    assert prediction.gender == "female"


@pytest.mark.usefixtures("quick")
def test_one_labelled_portrait_does_not_change_the_calibration(
    exported: Any,
    drawn_crops: LabelledCrops,
    one_portrait: Options,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """She is female: fitted on her alone, everyone would be."""
    changes = {"calibration": Calibration(1.4, -0.1), "threshold": 0.61}
    path = another_entry(exported, tmp_path / "model", **changes)
    original = manifest.load(path.parent).models[path.name]
    monkeypatch.setattr(verify_gender, "MAX_ACCURACY_LOSS", 1.0)
    assert convert("--model", path, "--out", out, *one_portrait) == 0
    shown = capsys.readouterr().out
    assert shown.count("keeping calibration and threshold of gender.keras: ") == 1
    assert "1 sample (1 female); skipped: label missing: 4 (" in shown
    for name in FORMATS:
        classifier = loading.open_classifier(out / name)
        assert classifier.entry.calibration == original.calibration
        assert classifier.entry.threshold == original.threshold
        assert classifier.entry.measured.get("held_out", {"n": 0})["n"] <= 1
        logits = classifier.compute_logits(drawn_crops.crops)
        clearest = int(np.argmin(logits))
        assert logits[clearest] < -1
        (classification,) = classifier.classify(drawn_crops.crops[clearest : clearest + 1])
        assert classification.gender == "male"


@pytest.mark.usefixtures("quick")
def test_the_printed_accuracy_equals_that_of_image_gender_evaluate(
    exported: Any,
    drawn_faces: Path,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a calibration that moves the border between the genders, and real crops alone."""
    path = another_entry(exported, tmp_path / "model", calibration=Calibration(1.0, -1.5))
    monkeypatch.setattr(gender, "MIN_VERIFICATION_CROPS", 1)
    monkeypatch.setattr(gender, "is_held_out", lambda name, _: name.endswith(("1.png", "2.png")))
    monkeypatch.setattr(verify_gender, "MAX_ACCURACY_LOSS", 1.0)
    data = ("--data", drawn_faces, *FOLDERS)
    assert convert("--model", path, "--out", out, *data) == 0
    shown = capsys.readouterr().out
    monkeypatch.setattr(datasets, "is_held_out", lambda name, _: name.endswith(("1.png", "2.png")))
    for name, title in (("gender.keras", "Keras"), *zip(FORMATS, ("TFLite", "ONNX"), strict=True)):
        figures = tmp_path / "figures.json"
        options = ("--model", out / name, *data, "--split", "val", "--json", figures)
        assert evaluate.main([str(option) for option in options]) == 0
        content = json.loads(figures.read_text())
        assert f"accuracy on {content['predicted']} crops: " in shown
        assert f"{title} {100 * content['accuracy']['value']:.2f} %" in shown


@pytest.mark.usefixtures("quick")
def test_fairface_may_lack_its_validation_part_but_it_must_be_valid(
    exported: Any, drawn_faces: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "fairface"
    shutil.copytree(drawn_faces, data / "train")
    rows = [
        f"{path.relative_to(data).as_posix()},3-9,{path.parent.name.title()},White"
        for path in sorted((data / "train").rglob("*.png"))
    ]
    header = "file,age,gender,race"
    (data / "fairface_label_train.csv").write_text("\n".join([header, *rows]))
    options = ("--model", exported.keras_path, "--data", data, "--layout", "fairface")
    assert convert(*options, "--out", out) == 0
    capsys.readouterr()
    (data / "fairface_label_val.csv").write_text(f"{header}\nval/1.jpg,3-9,Fenale,White\n")
    assert "fairface_label_val.csv, row 2: gender is 'Fenale'" in refused(
        capsys, *options, "--out", out
    )


@pytest.mark.usefixtures("quick")
def test_pictures_without_a_crop_are_reported_in_one_line(
    exported: Any, drawn_faces: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(drawn_faces, data)
    (data / "male" / "0.png").write_bytes(b"damaged")
    options = ("--data", data, *FOLDERS)
    assert convert("--model", exported.keras_path, "--out", out, *options) == 0
    shown = capsys.readouterr().out
    assert "200 samples (100 female)\n" in shown
    assert "skipped: unreadable: 1 ('male/0.png')\n" in shown


@pytest.mark.usefixtures("quick")
def test_conversion_works_if_no_held_out_picture_has_a_face(
    exported: Any, samples: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All samples serve then, as where there is no held-out part."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("astronaut.jpg", "rocket.jpg"):
        shutil.copy(samples / name, data)
    labels = tmp_path / "labels.csv"
    labels.write_text("id,sex\nastronaut,f\nrocket,m\n")
    monkeypatch.setattr(gender, "is_held_out", lambda name, _: name == "rocket")
    monkeypatch.setattr(verify_gender, "MAX_ACCURACY_LOSS", 1.0)
    options = ("--layout", "user-id", "--labels", labels, "--detector", "cascade")
    assert convert("--model", exported.keras_path, "--out", out, "--data", data, *options) == 0
    entry = manifest.load(out).models[FORMATS[0]]
    assert "held_out" not in entry.measured


@pytest.mark.usefixtures("quick")
def test_an_onnx_file_that_differs_is_skipped_and_an_older_one_removed(
    drawn: Options,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And so is the one that an earlier model left: it would answer for another network."""
    assert convert(*drawn) == 0
    other = (shipped_models() / f"{SHIPPED_STEM}.onnx").read_bytes()
    monkeypatch.setattr(onnx, "convert_tflite_to_onnx", lambda _, resizable: other)
    assert convert(*drawn) == 0
    shown = capsys.readouterr()
    assert "warning: skipped gender_int8.onnx: ONNX" in shown.err
    assert "ONNX differs from TFLite by " in shown.err
    assert f"{out / FORMATS[1]}: removed (left by an earlier model)" in shown.out
    assert set(manifest.load(out).models) == {"gender.keras", FORMATS[0]}
    assert not (out / FORMATS[1]).exists()
    assert loading.open_classifier(out / FORMATS[0]).entry.file == FORMATS[0]


@pytest.mark.usefixtures("quick")
def test_an_onnx_file_that_can_saturate_is_skipped(
    drawn: Options,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(onnx, "can_saturate", lambda _: True)
    assert convert(*drawn) == 0
    assert "processors without VNNI" in capsys.readouterr().err
    assert set(manifest.load(out).models) == {"gender.keras", FORMATS[0]}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("chosen", "left"), [("tflite", FORMATS[0]), ("onnx", FORMATS[1])])
def test_only_the_formats_of_the_option_are_published(
    drawn: Options, chosen: str, left: str, out: Path, capfd: Any
) -> None:
    assert convert(*drawn, "--formats", chosen) == 0
    assert set(manifest.load(out).models) == {"gender.keras", left}
    assert "skipped" not in capfd.readouterr().err


@pytest.mark.usefixtures("quick")
def test_without_data_the_pictures_of_the_training_are_used(
    exported: Any, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formats = ("--out", out, "--formats", "tflite")
    assert convert("--model", exported.keras_path, *formats) == 0
    shown = capsys.readouterr().out
    assert "200 samples (100 female)" in shown
    assert "accuracy of the int8 models on held-out pictures" in shown
    assert "ms per face instead of" in shown
    gone = f"image-gender-train --data {tmp_path / 'gone'} --layout folders --out x"
    for name, command, reason in (
        ("unknown", "by hand", "does not say which pictures"),
        ("elsewhere", gone, "do not exist"),
    ):
        path = another_entry(exported, tmp_path / name, trained={"command": command})
        assert convert("--model", path, *formats) == 2
        shown = capsys.readouterr().err
        assert reason in shown
        assert shown.endswith("give --data and --layout\n")


@pytest.mark.parametrize(
    "option", ["--layout=folders", "--labels=new.csv", "--female=mujer", "--strict"]
)
def test_label_options_without_data_are_refused(
    option: str, exported: Any, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert("--model", exported.keras_path, "--out", out, option) == 2
    assert f"{option.partition('=')[0]} requires --data" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_an_unrequested_format_of_the_same_model_is_kept(drawn: Options, out: Path) -> None:
    assert convert(*drawn) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert convert(*drawn, "--formats", "tflite") == 0
    assert set(manifest.load(out).models) == {"gender.keras", *FORMATS}
    assert (out / FORMATS[1]).read_bytes() == before[FORMATS[1]]


@pytest.mark.usefixtures("quick")
def test_a_failed_conversion_to_onnx_skips_only_the_onnx_file(
    drawn: Options,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: bytes, resizable: bool) -> bytes:
        raise RuntimeError("no operator HardSwish")

    monkeypatch.setattr(onnx, "convert_tflite_to_onnx", fail)
    assert convert(*drawn) == 0
    assert "ONNX: the conversion failed (no operator HardSwish)" in capsys.readouterr().err
    assert set(manifest.load(out).models) == {"gender.keras", FORMATS[0]}
    assert convert(*drawn, "--formats", "tflite") == 0
    assert "HardSwish" not in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_a_file_with_another_hash_than_in_the_manifest_is_not_removed(
    drawn: Options, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert convert(*drawn) == 0
    (out / FORMATS[1]).write_bytes(b"another file of the user's")
    monkeypatch.setattr(onnx, "can_saturate", lambda _: True)
    assert convert(*drawn) == 0
    assert (out / FORMATS[1]).read_bytes() == b"another file of the user's"
    assert FORMATS[1] not in manifest.load(out).models


def test_an_unknown_format_is_a_usage_error(
    trained: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", out, *FOLDERS, "--formats", "tflite,onyx")
    message = refused(capsys, "--model", trained / "gender.keras", "--out", out, *data)
    assert "unknown format 'onyx'; expected tflite or onnx" in message


@pytest.mark.usefixtures("quick")
def test_nothing_is_published_if_all_requested_formats_fail(
    drawn: Options,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(onnx, "can_saturate", lambda _: True)
    assert convert(*drawn, "--formats", "onnx") == 1
    shown = capsys.readouterr().err
    assert "image-gender-convert: nothing was published: ONNX: sums can saturate" in shown
    assert list(out.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_float32_variant_that_differs_is_skipped_with_a_warning(
    drawn: Options,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = manifest.load(shipped_models()).models[FORMATS[0]].float32_variant
    assert other is not None
    data = (shipped_models() / other.file).read_bytes()
    monkeypatch.setattr(float32, "convert_to_float32", lambda _: data)
    assert convert(*drawn) == 0
    assert "warning: no float32 variant: its logits differ" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {"gender.keras", manifest.NAME, *FORMATS}
    assert manifest.load(out).models[FORMATS[0]].float32_variant is None


@pytest.mark.usefixtures("quick")
def test_an_impossible_float32_variant_does_not_stop_the_other_formats(
    drawn: Options,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(_: bytes) -> bytes:
        raise ModelError("it cannot be done")

    monkeypatch.setattr(float32, "convert_to_float32", refuse)
    assert convert(*drawn) == 0
    assert "no float32 variant: it cannot be done; tflite-runtime" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"gender.keras", manifest.NAME, *FORMATS}
    assert manifest.load(out).models[FORMATS[0]].float32_variant is None


@pytest.mark.usefixtures("quick")
def test_a_failed_verification_keeps_the_published_files(
    drawn: Options, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert convert(*drawn) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    monkeypatch.setattr(onnx, "can_saturate", lambda _: True)
    assert convert(*drawn, "--formats", "onnx") == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.usefixtures("quick")
def test_publishing_into_the_folder_of_the_model_keeps_the_model(
    exported: Any, drawn_faces: Path, out: Path
) -> None:
    for name in ("gender.keras", manifest.NAME):
        (out / name).write_bytes((exported.keras_path.parent / name).read_bytes())
    model = (out / "gender.keras").read_bytes()
    data = ("--data", drawn_faces, *FOLDERS)
    assert convert("--model", out / "gender.keras", "--out", out, *data) == 0
    assert (out / "gender.keras").read_bytes() == model
    assert set(manifest.load(out).models) == {"gender.keras", *FORMATS}


@pytest.mark.usefixtures("quick")
def test_platt_scaling_uses_held_out_pictures_and_quantisation_the_others(
    drawn: Options, exported: Any, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the 200 drawn pictures 7 are held out; the quantiser sees the other ones only."""
    taken: list[bytes] = []
    measured: list[bytes] = []

    def quantise(_: Any, crops: Any) -> bytes:
        taken.extend(crop.tobytes() for crop in crops)
        return bytes(exported.tflite_file)

    def calibrated(entry: ModelEntry, _: Any, crops: Any, __: Any) -> tuple[ModelEntry, None]:
        measured.extend(crop.tobytes() for crop in crops)
        return entry, None

    monkeypatch.setattr(tflite, "quantise", quantise)
    monkeypatch.setattr(calibration, "calibrate_entry", calibrated)
    assert convert(*drawn) == 0
    assert (len(set(taken)), len(measured), len(set(measured))) == (193, 7, 7), "no copies"
    assert not set(taken) & set(measured)


@pytest.fixture
def small_data(tmp_path: Path) -> Path:
    return write_gender_folders(tmp_path / "small", np.zeros((30, 30, 3), np.uint8), "b")


def refused(capsys: pytest.CaptureFixture[str], *options: str | Path) -> str:
    """Runs a command that must end with code 2 and one line; gives the line."""
    assert convert(*options) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("image-gender-convert: ")
    assert shown.count("\n") == 1
    return shown


def test_two_conversions_do_not_write_to_one_folder(
    trained: Path, small_data: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--model", trained / "gender.keras", "--data", small_data, *FOLDERS, "--out", out)
    with lock_folders([out]):
        assert "another run is writing to this folder" in refused(capsys, *options)
    assert list(out.iterdir()) == []


def test_a_usage_error_is_one_line_with_exit_code_2(
    trained: Path, small_data: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ("--model", trained / "gender.keras")
    data = ("--data", small_data, *FOLDERS)
    assert "--out" in refused(capsys, *model, *data)
    assert "the folder does not exist" in refused(capsys, *model, *data, "--out", out / "deeper")
    assert "no such file" in refused(capsys, "--model", out / "x.keras", *data, "--out", out)
    wrong = ("--data", small_data, "--layout", "utkface")
    assert "age_gender_race_date" in refused(capsys, *model, *wrong, "--out", out)
    cascade = (*data, "--detector", "cascade", "--out", out)
    assert "no face found in 2 pictures" in refused(capsys, *model, *cascade)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("listed", [None, "face_detector.keras", "gender.keras"])
def test_a_training_that_stopped_before_its_manifest_must_be_resumed(
    listed: str | None,
    trained: Path,
    out: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An earlier manifest, if any, lists another model or another version of the model."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / manifest.NAME).unlink()
    if listed is not None:
        (run / listed).write_bytes(b"an earlier model")
        write_manifest(run / listed, 96)
        shutil.copy(trained / "gender.keras", run)
    message = refused(capsys, "--model", run / "gender.keras", "--out", out)
    assert f"{run / 'gender.keras'}: the training stopped before it wrote the manifest" in message
    assert "run it again with --resume" in message
    assert list(out.iterdir()) == []


def test_a_training_that_stopped_before_its_model_must_be_resumed(
    trained: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(trained / "run.json", tmp_path)
    message = refused(capsys, "--model", tmp_path / "gender.keras", "--out", out)
    assert "the training stopped before it wrote the model; run it again" in message


def test_resuming_a_training_that_stopped_before_its_manifest_completes_it(
    trained: Path, short_file: Path, drawn_faces: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / manifest.NAME).unlink()
    data = ("--data", drawn_faces, *FOLDERS, "--recipe", short_file)
    assert training.main([str(option) for option in (*data, "--out", run, "--resume")]) == 0
    ours, theirs = (manifest.load(folder).models for folder in (run, trained))
    assert ours["gender.keras"].measured == theirs["gender.keras"].measured
    keras_runtime.open_keras_with_entry(run / "gender.keras")


def test_a_keras_model_of_another_program_is_refused(
    small_data: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has one output, as it must, but nothing tells how it scales its pixels."""
    import keras

    pixels = keras.Input((16, 16, 3))
    x = keras.layers.GlobalAveragePooling2D()(pixels)
    path = tmp_path / "other.keras"
    keras.Model(pixels, keras.layers.Dense(1)(x)).save(path)
    write_manifest(path, 16)
    options = ("--data", small_data, *FOLDERS, "--out", out)
    assert "no layer 'normalisation'" in refused(capsys, "--model", path, *options)
    assert list(out.iterdir()) == []

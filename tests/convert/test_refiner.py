"""All formats of a face refiner refine alike, or are not published."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from exports import change_weights, run_by_channels
from training_pictures import write_backgrounds, write_gender_folders

pytest.importorskip("keras")
import keras

pytest.importorskip("tf2onnx")

from image_gender_classifier import manifest
from image_gender_classifier.convert import cli, float32, onnx, refiner, tflite, verify_refiner
from image_gender_classifier.convert.output_equality import are_outputs_equal
from image_gender_classifier.convert.verify_refiner import RefinementScore
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.results import Box
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.common.keras_runtime import open_keras_model
from image_gender_classifier.train.detector.scene import Sources
from image_gender_classifier.train.refiner import network, saving
from image_gender_classifier.train.refiner.candidates import Search, collect_candidates

SIZE = 64
TFLITE, ONNX = "face_refiner_int8.tflite", "face_refiner_int8.onnx"


class Published(NamedTuple):
    """The output folder of a conversion, and what it printed."""

    folder: Path
    said: str


def draw_views(count: int) -> Pixels:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (count, 8, 8, 3), np.uint8)
    return np.stack([cv2.resize(one, (SIZE, SIZE)) for one in coarse]).astype(np.uint8)


@pytest.fixture(scope="module")
def trained_refiner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained face refiner whose outputs vary; it takes nothing for a face."""
    folder = tmp_path_factory.mktemp("refiner")
    keras.utils.set_random_seed(4)
    model = network.build_refiner_network(SIZE, seed=4)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # takes the statistics of one batch
    model(draw_views(64).astype(np.float32), training=True)
    for name, factor, bias in ((network.FACE, 0.5, -4.0), (network.FRAME, 0.02, 0.0)):
        kernel, biases = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([kernel * factor, biases + bias])
    model = network.make_inference_refiner(model)
    saving.save_refiner(model, folder, license="Apache-2.0", trained={"seed": 4})
    return folder / saving.MODEL


@pytest.fixture(scope="module")
def options(face_crop: Pixels, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    faces = write_gender_folders(tmp_path_factory.mktemp("faces"), face_crop, range(30))
    places = write_backgrounds(tmp_path_factory.mktemp("backgrounds"), 60)
    given = ("--data", faces, "--layout", "folders", "--backgrounds", places)
    return [str(option) for option in given]


def convert(model: Path, out: Path, options: list[str]) -> int:
    return cli.main_refiner(["--model", str(model), "--out", str(out), *options])


@pytest.fixture(scope="module")
def published(
    trained_refiner: Path, options: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """A complete conversion, on the candidates of a few pictures."""
    out = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.setattr(refiner, "CALIBRATION_PICTURES", 10)
        patch.setattr(refiner, "VERIFICATION_PICTURES", 10)
        assert convert(trained_refiner, out, options) == 0
    return Published(out, printed.getvalue())


@pytest.fixture
def quick(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reuses the published files, for tests of what is published."""
    entry = manifest.load(published.folder).face_refiners[TFLITE]
    assert entry.float32_variant is not None
    tflite_file, float32_file = (
        manifest.read_verified(published.folder, one) for one in (entry, entry.float32_variant)
    )
    onnx_file = (published.folder / ONNX).read_bytes()
    monkeypatch.setattr(tflite, "quantise", lambda *_: tflite_file)
    monkeypatch.setattr(onnx, "convert_tflite_to_onnx", lambda _, resizable: onnx_file)
    monkeypatch.setattr(float32, "convert_to_float32", lambda _: float32_file)
    monkeypatch.setattr(refiner, "CALIBRATION_PICTURES", 2)
    monkeypatch.setattr(refiner, "VERIFICATION_PICTURES", 2)


def test_publishes_all_formats_with_manifest_entries(published: Published) -> None:
    entries = manifest.load(published.folder).face_refiners
    assert set(entries) == {saving.MODEL, TFLITE, ONNX}
    for entry in entries.values():
        assert manifest.read_verified(published.folder, entry)
    form = entries[TFLITE].float32_variant
    assert form is not None
    assert manifest.read_verified(published.folder, form)
    for file in (TFLITE, ONNX):
        trained = entries[file].trained
        assert trained["converted_by"].startswith("image-gender-convert-refiner --model ")
        assert trained["seed"] == 4


def test_the_exports_keep_the_settings_of_the_trained_model(published: Published) -> None:
    """Their entries differ in what describes the file only."""
    entries = manifest.load(published.folder).face_refiners
    of_the_file = {"file", "sha256", "bytes", "trained", "float32_variant"}
    used = [
        {name: value for name, value in entry._asdict().items() if name not in of_the_file}
        for entry in entries.values()
    ]
    assert used[0] == used[1] == used[2]


def test_all_formats_have_equal_outputs(published: Published) -> None:
    entries, views = manifest.load(published.folder).face_refiners, draw_views(20)
    runtimes = [
        open_model(name, manifest.read_verified(published.folder, entries[file]))
        for name, file in (("tflite", TFLITE), ("onnx", ONNX))
    ]
    one, two = (run_by_channels(runtime, views) for runtime in runtimes)
    original = run_by_channels(open_keras_model(published.folder / saving.MODEL), views)
    assert set(one) == {1, 3}
    for channels, output in one.items():
        assert output.shape == (20, channels)
        assert min(len(np.unique(column)) for column in output.T) > 5
        assert np.array_equal(output, two[channels])
        far = np.abs(output - original[channels]).max()
        assert 0 < far < 0.3 * np.ptp(original[channels])
    form = entries[TFLITE].float32_variant
    assert form is not None
    variant = open_model("tflite", manifest.read_verified(published.folder, form))
    assert are_outputs_equal(runtimes[0], variant, views)


def test_the_face_refiner_of_inference_runs_the_exports(
    published: Published, face_picture: Path
) -> None:
    candidate = Detection(Box(150, 20, 150, 150), 1.0)
    picture = decoding.read(face_picture)
    found = []
    for name, file in (("tflite", TFLITE), ("onnx", ONNX)):
        entry = manifest.load(published.folder).face_refiners[file]
        data = manifest.read_verified(published.folder, entry)
        found.append(FaceRefiner(open_model(name, data), entry).refine(picture, candidate))
    assert found[0] == found[1]
    assert found[0].frame != candidate.frame
    assert found[0].logit != candidate.logit


def test_the_scores_of_all_formats_are_printed(published: Published) -> None:
    lines = published.said.splitlines()
    scores = [line for line in lines if line.startswith(("Keras: ", "TFLite: ", "ONNX: "))]
    assert [line.split(":")[0] for line in scores] == ["Keras", "TFLite", "ONNX"]
    count = int(scores[0].split()[-2])
    assert count > 20
    assert all(line.endswith(f" %, on {count} candidates") for line in scores)
    assert "TFLite and ONNX: 0.0000 % of the output values differ" in lines


def test_a_gender_classifier_is_refused(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(shipped_models() / "gender.keras", tmp_path, options) == 2
    assert "does not list this file as a face refiner" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_verification_uses_held_out_faces_and_backgrounds(
    trained_refiner: Path, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect, seen = collect_candidates, []

    def watched(search: Search, sources: Sources, pictures: int, key: tuple[int, ...]) -> object:
        seen.append((len(sources.crops), len(sources.backgrounds)))
        return collect(search, sources, pictures, key)

    monkeypatch.setattr(refiner, "collect_candidates", watched)
    assert convert(trained_refiner, tmp_path, options) == 0
    calibration, verification = seen
    assert min(calibration) > 50
    assert max(verification) < 10


@pytest.mark.usefixtures("quick")
def test_tflite_can_be_published_alone(
    trained_refiner: Path, options: list[str], tmp_path: Path
) -> None:
    assert convert(trained_refiner, tmp_path, [*options, "--formats", "tflite"]) == 0
    assert set(manifest.load(tmp_path).face_refiners) == {saving.MODEL, TFLITE}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("worse", "fault"),
    [
        (RefinementScore(0.88, 0.02), "ONNX: accuracy is 2.00 percentage points below Keras"),
        (RefinementScore(0.9, 0.03), "ONNX: mean frame error is 1.00 percentage points above"),
        (RefinementScore(float("nan"), 0.02), "ONNX: accuracy is nan"),
    ],
)
def test_a_format_with_worse_scores_is_skipped_with_a_warning(
    worse: RefinementScore,
    fault: str,
    trained_refiner: Path,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good, slightly_worse = RefinementScore(0.9, 0.02), RefinementScore(0.895, 0.024)
    results = iter([good, slightly_worse, worse])
    monkeypatch.setattr(verify_refiner, "score_refiner", lambda *_: next(results))
    assert convert(trained_refiner, tmp_path, options) == 0
    assert f"warning: skipped {ONNX}: {fault}" in capsys.readouterr().err
    assert set(manifest.load(tmp_path).face_refiners) == {saving.MODEL, TFLITE}


@pytest.mark.usefixtures("quick")
def test_an_onnx_file_with_other_outputs_is_skipped_with_a_warning(
    trained_refiner: Path,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(verify_refiner, "compute_fraction_differing", lambda *_: 0.25)
    assert convert(trained_refiner, tmp_path, options) == 0
    said = f"warning: skipped {ONNX}: ONNX: 25.0000 % of the output values differ from TFLite"
    assert said in capsys.readouterr().err
    assert set(manifest.load(tmp_path).face_refiners) == {saving.MODEL, TFLITE}


@pytest.mark.usefixtures("quick")
def test_nothing_is_published_if_all_formats_are_worse(
    trained_refiner: Path,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = iter([RefinementScore(0.9, 0.02), *[RefinementScore(0.8, 0.02)] * 2])
    monkeypatch.setattr(verify_refiner, "score_refiner", lambda *_: next(results))
    assert convert(trained_refiner, tmp_path, options) == 1
    said = "nothing was published: TFLite: accuracy is 10.00 percentage points below Keras"
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_float32_variant_that_differs_is_skipped_with_a_warning(
    trained_refiner: Path,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write = float32.convert_to_float32
    monkeypatch.setattr(float32, "convert_to_float32", lambda data: change_weights(write(data)))
    assert convert(trained_refiner, tmp_path, options) == 0
    assert "warning: no float32 variant: its outputs differ" in capsys.readouterr().err
    assert manifest.load(tmp_path).face_refiners[TFLITE].float32_variant is None

from __future__ import annotations

import copy
import functools
import gc
import io
import json
import multiprocessing
import os
import pickle
import pydoc
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

import image_gender_classifier as igc
from image_gender_classifier import pipeline
from image_gender_classifier.detection import geometry
from image_gender_classifier.engine import Engine
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import open_parts
from image_gender_classifier.outputs import xml
from image_gender_classifier.results import Box, Face, Prediction
from image_gender_classifier.settings import RuntimeChoice, Settings
from image_gender_classifier.workers import messages

ORIENTATION = 274
# What to do to an upright picture so that each EXIF orientation turns it upright again.
UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def as_png(pixels: npt.NDArray[np.uint8], orientation: int = 1) -> bytes:
    picture, exif = Image.fromarray(pixels), Image.Exif()
    if orientation > 1:
        picture = picture.transpose(UNDO[orientation])
        exif[ORIENTATION] = orientation
    data = io.BytesIO()
    picture.save(data, "PNG", exif=exif)
    assert np.array_equal(np.asarray(ImageOps.exif_transpose(Image.open(data))), pixels)
    return data.getvalue()


def seen(prediction: Prediction) -> tuple[object, ...]:
    return prediction.status, prediction.gender, prediction.confidence, prediction.faces


def test_a_path_its_bytes_and_its_pixels_are_judged_alike(
    classifier: igc.GenderClassifier, face_pixels: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    data = as_png(face_pixels)
    path = tmp_path / "a.png"
    path.write_bytes(data)
    by_path, by_text = classifier.classify(path), classifier.classify(str(path))
    by_bytes, by_pixels = classifier.classify(data), classifier.classify(face_pixels)
    assert by_path.status == "classified"
    assert by_path == by_text
    assert seen(by_path) == seen(by_bytes) == seen(by_pixels)
    assert (by_path.file, by_bytes.file, by_pixels.file) == ("a.png", "", "")
    assert by_path.run == by_bytes.run


def test_the_astronaut_is_a_woman(classifier: igc.GenderClassifier, face_picture: Path) -> None:
    prediction = classifier.classify(face_picture)
    assert (prediction.file, prediction.status, prediction.gender) == (
        ("astronaut.jpg", "classified", "female")
    )


def test_the_caller_may_name_the_picture(
    classifier: igc.GenderClassifier, face_picture: Path
) -> None:
    assert classifier.classify(face_picture, "x/y.jpg").file == "x/y.jpg"
    assert classifier.classify(b"", file="b").file == "b"


@pytest.mark.parametrize("orientation", sorted(UNDO))
def test_boxes_are_in_the_picture_as_a_person_sees_it(
    orientation: int, classifier: igc.GenderClassifier, face_pixels: npt.NDArray[np.uint8]
) -> None:
    upright = classifier.classify(as_png(face_pixels))
    turned = classifier.classify(as_png(face_pixels, orientation))
    assert upright.faces
    assert seen(turned) == seen(upright)
    assert turned.run != upright.run


def test_grey_and_transparent_pixels_are_pictures_too(
    classifier: igc.GenderClassifier, face_pixels: npt.NDArray[np.uint8]
) -> None:
    colours = classifier.classify(face_pixels)
    opaque = np.full(face_pixels.shape[:2], 255, np.uint8)
    assert seen(classifier.classify(np.dstack([face_pixels, opaque]))) == seen(colours)
    grey = classifier.classify(np.asarray(Image.fromarray(face_pixels).convert("L")))
    for one, other in zip(grey.faces, colours.faces, strict=True):
        assert geometry.overlaps(one.box, other.box)
    empty = classifier.classify(np.dstack([face_pixels, opaque * 0]))
    assert empty.status == "no_face"  # what nobody sees is not judged


def test_pixels_are_left_as_they_are(
    classifier: igc.GenderClassifier, face_pixels: npt.NDArray[np.uint8]
) -> None:
    before = face_pixels.copy()
    classifier.classify(face_pixels)
    assert np.array_equal(face_pixels, before)


@pytest.mark.parametrize(
    "pixels", [np.zeros((9, 9, 3)), np.zeros((9, 9, 2), np.uint8), np.zeros((0, 9, 3), np.uint8)]
)
def test_other_arrays_are_a_usage_error(
    pixels: npt.NDArray[np.uint8], classifier: igc.GenderClassifier
) -> None:
    with pytest.raises(igc.UsageError, match="uint8"):
        classifier.classify(pixels)


def test_what_cannot_be_read_has_a_verdict_that_says_why(
    classifier: igc.GenderClassifier, face_picture: Path, tmp_path: Path
) -> None:
    whole = face_picture.read_bytes()
    predictions = [classifier.classify(data) for data in (b"", b"text", whole[: len(whole) // 2])]
    predictions += [classifier.classify(tmp_path)]
    for prediction in predictions:
        assert (prediction.status, prediction.gender, prediction.faces) == (
            "unreadable",
            "unknown",
            (),
        )
        assert prediction.confidence is None
        assert prediction.message is not None and "; " in prediction.message
    assert len({prediction.message for prediction in predictions}) == 4


def test_any_verdict_is_valid_xml(
    classifier: igc.GenderClassifier, face_pixels: npt.NDArray[np.uint8], check_xml: object
) -> None:
    assert callable(check_xml)
    for picture in (face_pixels, b"", as_png(face_pixels), np.zeros((5, 5), np.uint8)):
        check_xml(xml.encode_prediction(classifier.classify(picture)))


def test_run_tells_pictures_models_and_options_apart(
    classifier: igc.GenderClassifier, face_picture: Path
) -> None:
    run = classifier.classify(face_picture).run
    assert (
        run
        == classifier.classify(face_picture).run
        == igc.load(threshold=0.5).classify(face_picture).run
    )
    others = [igc.load(detector="none"), igc.load(threshold=0.51), igc.load(runtime="onnx")]
    runs = {other.classify(face_picture).run for other in others}
    runs.add(classifier.classify(face_picture.read_bytes() + b"\0").run)
    assert len(runs | {run}) == 5


def test_the_manifests_threshold_given_by_hand_is_no_other_option(face_picture: Path) -> None:
    classifier = igc.load()
    prediction = classifier.classify(face_picture)
    same = igc.load(threshold=open_parts(Settings()).classifier.threshold)
    assert same.classify(face_picture) == prediction


def test_both_runtimes_give_the_same_gender(samples: Path) -> None:
    tflite, onnx = igc.load(runtime="tflite"), igc.load(runtime="onnx")
    for path in sorted(samples.glob("*.jpg")):
        first, second = tflite.classify(path), onnx.classify(path)
        assert (first.status, first.gender) == (second.status, second.gender)
        assert [face.box for face in first.faces] == [face.box for face in second.faces]


def test_a_folder_is_judged_in_order(
    classifier: igc.GenderClassifier, folder: Path, face_picture: Path
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "z.jpg").write_bytes(face_picture.read_bytes())
    (folder / "a.png").write_bytes(b"broken")
    (folder / "notes.txt").write_text("no picture")
    flat = list(classifier.classify_folder(folder))
    assert [(prediction.file, prediction.status) for prediction in flat] == [
        ("a.png", "unreadable"),
        ("astronaut.jpg", "classified"),
        ("cat.jpg", "no_face"),
        ("rocket.jpg", "no_face"),
    ]
    deep = list(classifier.classify_folder(str(folder), recursive=True, workers=3))
    assert deep[:4] == flat
    assert (deep[4].file, deep[4].gender) == ("sub/z.jpg", "female")
    assert deep[1] == classifier.classify(folder / "astronaut.jpg")


def test_a_folder_that_is_none_is_a_usage_error(
    classifier: igc.GenderClassifier, tmp_path: Path
) -> None:
    assert list(classifier.classify_folder(tmp_path)) == []
    for name in ("missing", "a\0b", "a" * 300):
        with pytest.raises(igc.UsageError, match="the folder cannot be read"):
            list(classifier.classify_folder(tmp_path / name))


def test_numbers_of_other_types_work_in_worker_processes_too(folder: Path) -> None:
    settings: dict[str, Any] = {
        **{"threshold": np.float32(0.5), "min_face": np.float64(0.1), "all_faces": 1},
        **{"max_pixels": np.int64(2**24), "max_bytes": np.uint32(2**24)},
    }
    classifier = igc.load(**settings)
    seen_there = {prediction.file: prediction for prediction in classifier.classify_folder(folder)}
    assert seen_there["astronaut.jpg"] == classifier.classify(folder / "astronaut.jpg")


@pytest.mark.parametrize(
    "setting",
    [
        *({"model": 7}, {"threshold": "0.5"}, {"min_face": [0.1]}, {"all_faces": "no"}),
        *({"max_pixels": 1e6}, {"max_bytes": 1e9}, {"max_bytes": None}),
    ],
)
def test_a_setting_of_a_wrong_type_is_a_usage_error(setting: dict[str, Any]) -> None:
    with pytest.raises(igc.UsageError, match="but must be"):
        igc.load(**setting)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_an_impossible_threshold_is_a_usage_error(threshold: float) -> None:
    with pytest.raises(igc.UsageError, match="between 0 and 1"):
        igc.load(threshold=threshold)


@pytest.mark.parametrize("choice", [{"detector": "haar"}, {"detector": None}, {"runtime": "tf"}])
def test_an_unknown_choice_is_a_usage_error(choice: dict[str, Any]) -> None:
    with pytest.raises(igc.UsageError, match="must be one of"):
        igc.load(**choice)


def test_a_model_of_ones_own(models: Path, face_picture: Path) -> None:
    for name in ("gender_int8.tflite", "gender_int8.onnx"):
        prediction = igc.load(models / name, threshold=0.5).classify(face_picture)
        assert (prediction.status, prediction.gender) == ("classified", "female")


@pytest.mark.parametrize(
    ("name", "runtime", "said"),
    [
        ("gender_int8.onnx", "tflite", "the format onnx and needs the runtime onnx or auto"),
        ("gender_int8.tflite", "onnx", "the format tflite and needs the runtime tflite or auto"),
        (
            "gender.keras",
            "auto",
            "unknown model format; the suffix must be one of .tflite, .onnx",
        ),
        ("", "auto", "unknown model format"),
    ],
)
def test_a_model_that_does_not_fit_is_a_usage_error(
    name: str, runtime: RuntimeChoice, said: str, models: Path
) -> None:
    with pytest.raises(igc.UsageError, match=said):
        igc.load(models / name, runtime=runtime)


def test_a_model_that_its_manifest_does_not_know_is_a_model_error(models: Path) -> None:
    (models / "gender_int8.tflite").rename(models / "mine.tflite")
    with pytest.raises(igc.ModelError, match=r"mine\.tflite: the manifest .* does not list"):
        igc.load(models / "mine.tflite")


def test_what_is_promised_is_there_and_nothing_else() -> None:
    for name in igc.__all__:
        assert getattr(igc, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = igc.nonsense


def test_judging_needs_neither_tensorflow_nor_training_nor_conversion(face_picture: Path) -> None:
    code = (
        "import sys, image_gender_classifier as igc\n"
        "assert 'numpy' not in sys.modules\n"
        "igc.load().classify(sys.argv[1])\n"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, str(face_picture)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "image_gender_classifier.api" in loaded
    package = "image_gender_classifier"
    unwanted = ("tensorflow", "keras", "tf2onnx", "onnx", f"{package}.train", f"{package}.convert")
    assert not [name for name in loaded if name.startswith(unwanted) and "onnxruntime" not in name]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits allocations")
def test_a_lack_of_memory_for_an_array_can_be_told_from_a_bug() -> None:
    program = (
        "import numpy as np, image_gender_classifier as igc\n"
        "from image_gender_classifier.system.memory import limit_growth\n"
        "classifier, pixels = igc.load(), np.zeros((4096, 4096, 3), np.uint8)\n"
        "limit_growth(2**24)\n"
        "try: classifier.classify(pixels[:, ::-1])\n"
        "except igc.InternalError: print('a bug')\n"
        "except igc.Unfinished as error: print(error)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("not enough memory for the picture"), done.stderr


def test_a_large_machine_does_not_exceed_the_limit_of_open_files(tmp_path: Path) -> None:
    """It pretends to have 200 cores."""
    for number in range(100):
        (tmp_path / f"{number}.jpg").write_bytes(b"no picture")
    program = (
        "import os, resource, sys, image_gender_classifier as igc\n"
        "from image_gender_classifier.system import cores\n"
        "cores.count_cores = lambda: 200\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))\n"
        "print(len(list(igc.load().classify_folder(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "100\n", done.stderr


def small_face(face_picture: Path, form: str = "JPEG") -> bytes:
    """Her face takes a sixth of 1,400 pixels."""
    with Image.open(face_picture) as astronaut:
        large = Image.new("RGB", (1400, 1400), "grey")
        large.paste(astronaut.resize((1000, 1000)), (200, 100))
    file = io.BytesIO()
    large.save(file, form, quality=95)
    return file.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits allocations")
def test_a_lack_of_memory_for_the_models_is_not_their_fault() -> None:
    program = (
        "import image_gender_classifier as igc\n"
        "from image_gender_classifier.system.memory import limit_growth\n"
        "igc.load(); limit_growth(2**20)\n"
        "try: igc.load()\n"
        "except igc.Unfinished as error: print(error)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("not enough memory for the models"), done.stderr


def test_a_small_face_is_judged_from_a_finer_copy(face_picture: Path) -> None:
    data = small_face(face_picture)
    quick, fine = decoding.decode(data), decoding.decode(data, decoding.WORKING_SIDE)
    assert max(quick.pixels.shape) < decoding.WORKING_SIDE <= max(fine.pixels.shape)
    assert np.array_equal(quick.finer().pixels, fine.pixels)
    assert quick.finer() is quick.finer()
    assert fine.finer() is fine
    parts = open_parts(Settings(threshold=0.0))
    one, other = (
        pipeline.classify(picture, "a", parts.detector, parts.classifier)
        for picture in (quick, fine)
    )
    assert one.faces[0].box == pytest.approx(
        other.faces[0].box, abs=0.01 * other.faces[0].box.width
    )
    assert (one.gender, one.status) == (other.gender, other.status)
    assert one.confidence == pytest.approx(other.confidence, abs=0.03)


def test_the_quick_copy_is_enough_for_a_large_face(face_picture: Path) -> None:
    with Image.open(face_picture) as whole:
        picture_file = whole.crop((94, 0, 354, 260)).resize((1400, 1400))
    file = io.BytesIO()
    picture_file.save(file, "JPEG")
    picture = decoding.decode(file.getvalue())
    assert max(picture.pixels.shape) < decoding.WORKING_SIDE

    def fails() -> Picture:
        raise AssertionError("decoded again")

    parts = open_parts(Settings(threshold=0.0))
    alone = picture._replace(decode_finer=fails)
    assert pipeline.classify(alone, "a", parts.detector, parts.classifier).faces


def test_what_comes_in_parts_is_decoded_once(face_picture: Path) -> None:
    with Image.open(io.BytesIO(small_face(face_picture))) as picture:
        file = io.BytesIO()
        picture.save(file, "JPEG", progressive=True)
    once = decoding.decode(file.getvalue())
    assert once.finer() is once


def test_what_is_drawn_is_the_finer_copy(face_picture: Path, tmp_path: Path) -> None:
    (tmp_path / "small.jpg").write_bytes(small_face(face_picture))
    shown: list[int] = []

    def draw(view: Callable[[int], Picture], _: object) -> None:
        shown.extend(max(view(side).pixels.shape[:2]) for side in (256, decoding.WORKING_SIDE))

    Engine.open(Settings()).classify_file(tmp_path / "small.jpg", "small.jpg", draw)
    reduced, finer = shown
    assert 256 <= reduced < decoding.WORKING_SIDE <= finer


# --- what a picture may be ------------------------------------------------------------------------


class ByteArrayFile(io.BytesIO):
    """A file that returns another kind of bytes, as those of some libraries do."""

    def read(self, *size: Any) -> Any:
        return bytearray(super().read(*size))


def test_bytes_files_and_pil_images_are_pictures_too(
    classifier: igc.GenderClassifier, face_picture: Path, face_pixels: npt.NDArray[np.uint8]
) -> None:
    data = face_picture.read_bytes()
    by_bytes = classifier.classify(data)
    assert classifier.classify(bytearray(data)) == by_bytes
    assert classifier.classify(memoryview(data)) == by_bytes
    assert classifier.classify(io.BytesIO(data)) == by_bytes
    assert classifier.classify(ByteArrayFile(data)) == by_bytes
    with face_picture.open("rb") as file:
        assert classifier.classify(file, "named.jpg").file == "named.jpg"
    by_pixels = classifier.classify(face_pixels)
    for mode in ("RGB", "RGBA"):
        image = Image.fromarray(face_pixels).convert(mode)
        assert seen(classifier.classify(image)) == seen(by_pixels)


def test_a_pil_image_of_another_packages_plugin_is_a_picture(
    classifier: igc.GenderClassifier, face_picture: Path
) -> None:
    class ForeignImageFile(JpegImageFile):
        """Such as `pillow_heif.HeifImageFile`."""

    with ForeignImageFile(face_picture) as image:
        assert classifier.classify(image).status == "classified"


def test_a_pil_image_is_turned_upright(
    classifier: igc.GenderClassifier, face_pixels: npt.NDArray[np.uint8]
) -> None:
    turned = Image.open(io.BytesIO(as_png(face_pixels, 6)))
    assert seen(classifier.classify(turned)) == seen(classifier.classify(face_pixels))


@pytest.mark.parametrize(
    "picture", [None, 7, ["a.jpg"], io.StringIO("text"), Image.new("F", (9, 9))]
)
def test_anything_else_is_a_usage_error(picture: Any, classifier: igc.GenderClassifier) -> None:
    with pytest.raises(igc.UsageError):
        classifier.classify(picture)


def test_a_missing_path_raises(classifier: igc.GenderClassifier, tmp_path: Path) -> None:
    for error in (igc.PictureNotFound, FileNotFoundError, igc.GenderClassifierError):
        with pytest.raises(error, match=r"gone\.jpg"):
            classifier.classify(tmp_path / "gone.jpg")


@pytest.mark.parametrize("path", ["", "https://example.org/alice.jpg"])
def test_a_string_that_is_no_path_is_reported_as_it_was_given(
    classifier: igc.GenderClassifier, path: str
) -> None:
    with pytest.raises(igc.PictureNotFound) as raised:
        classifier.classify(path)
    assert str(raised.value) == f"{path!r}: no such file; check the path"


def test_an_exception_that_is_not_about_the_picture_is_raised(
    classifier: igc.GenderClassifier, face_picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "classify", lambda *_: 1 / 0)
    with pytest.raises(igc.InternalError, match=r"astronaut\.jpg.*ZeroDivisionError") as raised:
        classifier.classify(face_picture)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    with pytest.raises(igc.InternalError):
        list(classifier.classify_many([face_picture]))


# --- many pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_many_pictures_are_classified_in_order(
    threads: int | None, classifier: igc.GenderClassifier, samples: Path, tmp_path: Path
) -> None:
    paths = sorted(samples.glob("*.jpg")) * 3
    many = list(classifier.classify_many(iter(paths), threads))
    assert many == [classifier.classify(path) for path in paths]
    mixed = [paths[0].read_bytes(), np.zeros((9, 9, 3), np.uint8), tmp_path / "gone.jpg", b"text"]
    statuses = [one.status for one in classifier.classify_many(mixed)]
    assert statuses[1:] == ["no_face", "unreadable", "unreadable"]
    assert list(classifier.classify_many([])) == []
    as_folder = f"{paths[0]}/"
    assert list(classifier.classify_many([as_folder])) == [classifier.classify(as_folder)]


def test_many_pictures_are_taken_as_they_are_needed(classifier: igc.GenderClassifier) -> None:
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"text"

    predictions = classifier.classify_many(endless(), threads=2)
    assert taken == []
    assert next(predictions).status == "unreadable"
    predictions.close()
    assert len(taken) <= 20


def test_many_stops_at_what_is_no_picture(classifier: igc.GenderClassifier) -> None:
    predictions = classifier.classify_many([b"text", 7, b"text"], threads=1)
    assert next(predictions).status == "unreadable"
    with pytest.raises(igc.UsageError):
        list(predictions)


# --- folders --------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_crash_costs_a_folder_no_prediction_and_the_host_nothing(
    classifier: igc.GenderClassifier, face_picture: Path, tmp_path: Path
) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.jpg").write_bytes(face_picture.read_bytes())
    predictions = classifier.classify_folder(tmp_path, workers=1)
    first = next(predictions)
    children = [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if stat.read_text().rpartition(")")[2].split()[1] == str(os.getpid())
    ]
    assert children
    for child in children:
        os.kill(child, signal.SIGSEGV)
    every = [first, *predictions]
    assert [one.file for one in every] == [f"{number:02}.jpg" for number in range(40)]
    assert {one.status for one in every} == {"classified"}


def test_a_folder_from_a_host_with_threads(
    classifier: igc.GenderClassifier, folder: Path, face_picture: Path
) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(lambda: list(classifier.classify_folder(folder))) for _ in range(2)]
        assert both[0].result() == both[1].result() != []


# --- the surface ----------------------------------------------------------------------------------


class AsyncUpload:
    async def read(self) -> bytes:
        raise AssertionError("nobody awaits it")


def test_an_asynchronous_file_is_refused_without_a_warning(
    classifier: igc.GenderClassifier, recwarn: pytest.WarningsRecorder
) -> None:
    with pytest.raises(igc.UsageError, match=r"asynchronous; await its content.*bytes"):
        classifier.classify(AsyncUpload())
    gc.collect()
    assert not recwarn.list


def test_a_classifier_that_is_sent_to_another_process_says_to_load_one_there(
    classifier: igc.GenderClassifier, face_picture: Path
) -> None:
    for send in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(igc.UsageError, match=r"call load in each process"):
            send(classifier)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        future = pool.submit(classifier.classify, face_picture)
        with pytest.raises(igc.UsageError, match=r"call load in each process"):
            future.result(60)


@pytest.mark.parametrize("runtime", ["tflite", "onnx"])
def test_a_process_that_is_forked_after_load_may_use_the_classifier(
    runtime: str, face_picture: Path
) -> None:
    pytest.importorskip("onnxruntime" if runtime == "onnx" else "ai_edge_litert")
    program = (
        "import os, signal, sys, image_gender_classifier as igc\n"
        "classifier = igc.load(runtime=sys.argv[1])\n"
        "before = classifier.classify(sys.argv[2])\n"
        "if os.fork() == 0:\n"
        "    signal.alarm(60)\n"
        "    os._exit(classifier.classify(sys.argv[2]) != before)\n"
        "sys.exit(os.wait()[1])\n"
    )
    command = [sys.executable, "-c", program, runtime, str(face_picture)]
    assert subprocess.run(command, check=False).returncode == 0


def test_a_classifier_is_closed_by_with_and_describes_itself(face_picture: Path) -> None:
    with igc.load(threshold=0.5) as classifier:
        text = repr(classifier)
        assert "gender_int8.tflite" in text and "'network'" in text and "0.5" in text
        assert classifier.classify(face_picture).status == "classified"
    assert "closed" in repr(classifier)
    with pytest.raises(igc.UsageError, match="closed"):
        classifier.classify(face_picture)


def test_a_prediction_is_frozen_and_becomes_a_dict(
    classifier: igc.GenderClassifier, face_picture: Path
) -> None:
    prediction = classifier.classify(face_picture)
    with pytest.raises(FrozenInstanceError):
        prediction.gender = "male"  # type: ignore[misc]
    values = json.loads(json.dumps(prediction.to_dict()))
    assert values["gender"] == prediction.gender
    assert values["faces"][0]["detector"] == prediction.faces[0].detector
    assert values["faces"][0]["width"] == prediction.faces[0].box.width
    assert values["p_female"] == values["faces"][0]["p_female"] == prediction.p_female
    assert set(values) == {each.name for each in fields(prediction)} | {"id"}
    assert set(values["faces"][0]) == {*Face._fields, *Box._fields} - {"box"}


@pytest.mark.parametrize("number", [0, -5, 2.5, "two"])
def test_a_number_of_workers_that_is_not_a_whole_one_above_zero_is_refused(
    number: Any, classifier: igc.GenderClassifier, folder: Path
) -> None:
    with pytest.raises(
        ValueError, match=f"workers is {number!r}; give a whole number of at least 1"
    ):
        classifier.classify_folder(folder, workers=number)
    with pytest.raises(
        ValueError, match=f"threads is {number!r}; give a whole number of at least 1"
    ):
        classifier.classify_many([], threads=number)


def test_a_subfolder_that_cannot_be_read_is_a_warning(
    classifier: igc.GenderClassifier, tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lost+found").mkdir()
    shutil.copy(samples / "cat.jpg", tmp_path)
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "lost+found":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.warns(igc.FolderSkipped, match=r"lost\+found: the folder cannot be read"):
        predictions = classifier.classify_folder(tmp_path, recursive=True, workers=1)
    assert [prediction.file for prediction in predictions] == ["cat.jpg"]


@pytest.mark.parametrize(
    "picture",
    [
        *("alice.jpg", b"bytes", Path("alice.jpg"), io.BytesIO(b"bytes"), Image.new("RGB", (9, 9))),
        *(np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.uint8)),
    ],
)
def test_a_single_picture_is_not_several(classifier: igc.GenderClassifier, picture: Any) -> None:
    with pytest.raises(igc.UsageError, match="pass a list, or call classify"):
        classifier.classify_many(picture)


def test_a_batch_in_one_array_is_several_pictures(classifier: igc.GenderClassifier) -> None:
    for shape in ((2, 9, 9), (2, 9, 9, 3)):
        assert len(list(classifier.classify_many(np.zeros(shape, np.uint8)))) == 2


def test_an_array_of_paths_is_several_pictures(
    classifier: igc.GenderClassifier, samples: Path
) -> None:
    paths = [str(samples / name) for name in ("cat.jpg", "mona_lisa.jpg")]
    for kind in (np.str_, np.object_):
        predictions = classifier.classify_many(np.array(paths, kind))
        assert [prediction.file for prediction in predictions] == ["cat.jpg", "mona_lisa.jpg"]


def test_a_picture_that_takes_too_long_is_a_warning(
    classifier: igc.GenderClassifier, tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(samples / "mona_lisa.jpg", tmp_path / "a.jpg")
    Image.new("RGB", (8000, 8000)).save(tmp_path / "large.png")
    monkeypatch.setattr(messages, "Task", functools.partial(messages.Task, timeout=0.1))
    with pytest.warns(igc.PictureSkipped, match=r"large\.png: no result within [01] s"):
        predictions = list(classifier.classify_folder(tmp_path, workers=1))
    assert [prediction.file for prediction in predictions] == ["a.jpg"]


def test_by_products_are_classified_only_if_wanted(
    classifier: igc.GenderClassifier, tmp_path: Path, samples: Path
) -> None:
    (tmp_path / "@eaDir").mkdir()
    for name in ("cat.jpg", "cat.jpg.part", "@eaDir/cat.jpg"):
        shutil.copy(samples / "cat.jpg", tmp_path / name)
    usual = classifier.classify_folder(tmp_path, recursive=True, workers=1)
    assert [prediction.file for prediction in usual] == ["cat.jpg"]
    every = classifier.classify_folder(tmp_path, recursive=True, workers=1, hidden=True)
    assert len(list(every)) == 3


def test_the_exported_names() -> None:
    names = [
        *("load", "GenderClassifier", "Prediction", "Face", "Box", "Gender", "Status"),
        *("GenderClassifierError", "UsageError", "PictureNotFound", "ModelError"),
        *("RuntimeMissing", "OutputError", "UnreadablePicture", "InternalError", "Unfinished"),
        *("RuntimeFallback", "FolderSkipped", "PictureSkipped", "__version__"),
    ]
    assert igc.__all__ == names
    assert dir(igc) == sorted(names)
    public = [name for name in dir(igc.GenderClassifier) if not name.startswith("_")]
    assert public == ["classify", "classify_folder", "classify_many", "close"]


def test_help_begins_with_load_and_classify() -> None:
    shown = pydoc.plain(pydoc.render_doc(igc))
    assert 0 < shown.index("igc.load()") < shown.index("classify(") < shown.index("CLASSES")
    assert "def load" in shown or "load(" in shown

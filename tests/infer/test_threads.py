"""One classifier for many threads gives the answers that one thread gets."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import image_gender_classifier as igc
from image_gender_classifier.settings import RuntimeChoice
from image_gender_classifier.system.cores import count_cores

pytestmark = pytest.mark.slow  # hundreds of pictures each

COUNT = 500
THREADS = 16


@contextmanager
def frequent_switches() -> Iterator[None]:
    """Makes Python change threads ten times as often as it usually does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@pytest.fixture(scope="module")
def generated(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Windows of the sample pictures, no two alike: with a face, with part of one, with none."""
    folder = tmp_path_factory.mktemp("generated")
    chance = np.random.default_rng(18)
    read = [cv2.imread(str(samples / f"{name}.jpg")) for name in ("astronaut", "cat", "rocket")]
    pictures: list[npt.NDArray[Any]] = [pixels for pixels in read if pixels is not None]
    paths = []
    for number in range(COUNT):
        pixels = pictures[number % 4 % len(pictures)]  # every other one has a face
        side = int(chance.integers(150, 280))
        top, left = (int(chance.integers(0, length - side)) // 2 for length in pixels.shape[:2])
        window = np.ascontiguousarray(pixels[top : top + side, left : left + side])
        path = folder / f"{number:03}.{('jpg', 'png')[number % 2]}"
        assert cv2.imwrite(str(path), cv2.convertScaleAbs(window, alpha=chance.uniform(0.6, 1.2)))
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def pictures(generated: list[Path], request: pytest.FixtureRequest) -> list[Path]:
    """Portraits, snapshots and pictures without a face; generated ones where those are absent."""
    try:
        shared: Path = request.getfixturevalue("shared")
    except pytest.skip.Exception:
        return generated
    every = sorted((shared / "portraits").rglob("*.jpg"))
    if len(every) < COUNT:
        return generated
    return [every[place * len(every) // COUNT] for place in range(COUNT)]


def by_threads(
    classify: Callable[[Any], igc.Prediction], pictures: Sequence[object]
) -> list[igc.Prediction]:
    with frequent_switches(), ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(classify, pictures))


@pytest.mark.parametrize("runtime", ["tflite", "onnx"])
def test_many_threads_get_the_answers_of_one(runtime: RuntimeChoice, pictures: list[Path]) -> None:
    pytest.importorskip({"tflite": "ai_edge_litert", "onnx": "onnxruntime"}[runtime])
    classifier = igc.load(runtime=runtime)
    alone = [classifier.classify(path) for path in pictures]
    assert {prediction.status for prediction in alone} >= {"classified", "uncertain", "no_face"}
    assert by_threads(classifier.classify, pictures) == alone


@pytest.mark.parametrize(
    "choices",
    [
        pytest.param({"all_faces": True, "min_face": 0.1}, id="every face"),
        pytest.param({"detector": "lbp", "min_face": 0.1}, id="the cascade alone"),
        pytest.param({"detector": "none"}, id="face crops"),
    ],
)
def test_so_they_do_with_other_choices(choices: dict[str, Any], generated: list[Path]) -> None:
    classifier = igc.load(**choices)
    paths = generated[:30]
    assert by_threads(classifier.classify, paths) == [classifier.classify(path) for path in paths]


def test_bytes_and_pixels_may_come_from_many_threads(
    classifier: igc.GenderClassifier, generated: list[Path]
) -> None:
    pictures: list[object] = []
    for path in generated[:25]:
        stored = cv2.imread(str(path))
        assert stored is not None
        grey = cv2.cvtColor(stored, cv2.COLOR_BGR2GRAY)
        pictures += [path, path.read_bytes(), stored[:, :, ::-1], grey]
    pictures += [b"", b"no picture"]
    alone = [classifier.classify(picture) for picture in pictures]
    assert by_threads(classifier.classify, pictures) == alone


def test_threads_may_come_and_go(
    monkeypatch: pytest.MonkeyPatch, generated: list[Path], models: Path
) -> None:
    pytest.importorskip("ai_edge_litert")
    from ai_edge_litert.interpreter import Interpreter

    opened: list[object] = []

    def counted(**options: Any) -> Any:
        opened.append(options)
        return Interpreter(**options)

    monkeypatch.setattr("image_gender_classifier.runtimes.tflite.Interpreter", counted)
    classifier = igc.load(models / "gender_int8.tflite", runtime="tflite")
    networks = len(opened)
    assert networks > 0
    predictions: list[igc.Prediction] = []
    for start in range(0, 120, 20):
        threads = [
            threading.Thread(target=lambda path=path: predictions.append(classifier.classify(path)))
            for path in generated[start : start + 20]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(predictions) == 120
    assert len(opened) <= networks * count_cores()


def test_a_folder_is_judged_beside_other_pictures(
    classifier: igc.GenderClassifier, generated: list[Path]
) -> None:
    folder = generated[0].parent
    first = generated[:50]
    alone = [classifier.classify(path) for path in first]
    with ThreadPoolExecutor(1) as pool:
        predictions = classifier.classify_folder(folder, workers=4)
        beside = pool.submit(lambda: list(islice(predictions, len(first))))
        assert [classifier.classify(path) for path in first] == alone
        assert beside.result() == alone


def test_classifiers_loaded_at_the_same_time_leave_standard_error_alone(
    generated: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    before = os.fstat(2)
    done = threading.Event()

    def load() -> None:
        igc.load().classify(generated[0])

    def write() -> int:
        written = 0
        while not done.is_set():
            os.write(2, b"heard\n")
            written += 1
            where = os.fstat(2)
            assert (where.st_dev, where.st_ino) == (before.st_dev, before.st_ino)
        return written

    with ThreadPoolExecutor(3) as pool:
        writing = pool.submit(write)
        try:
            for loading in [pool.submit(load) for _ in range(8)]:
                loading.result()
        finally:
            done.set()
        written = writing.result()
    assert capfd.readouterr().err.count("heard\n") == written
    where = os.fstat(2)
    assert (where.st_dev, where.st_ino) == (before.st_dev, before.st_ino)

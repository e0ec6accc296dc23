"""Fixtures of the package's own tests: pictures, the real classifier, the command, the schema."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from typing import Any

import cv2
import disks
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from lxml import etree

import image_gender_classifier as igc
from image_gender_classifier.cli import program
from image_gender_classifier.results import Box, Face, Prediction

# Processes that judge are forked from this one in some tests, and OpenCV's threads are not.
cv2.setNumThreads(1)
settings.register_profile("untimed")
settings.load_profile("untimed")

CheckXml = Callable[[bytes], Any]
Command = Callable[..., CompletedProcess[str]]
Start = Callable[..., Popen[str]]


@pytest.fixture(scope="session")
def check_xml() -> CheckXml:
    """Validates an XML file's bytes against the shipped schema; gives its root element."""
    schema = etree.XMLSchema(
        etree.fromstring((files("image_gender_classifier.outputs") / "image.xsd").read_bytes())
    )

    def check(data: bytes) -> Any:
        root = etree.fromstring(data)
        schema.assertValid(root)
        return root

    return check


@pytest.fixture(scope="session")
def predictions() -> st.SearchStrategy[Prediction]:
    """Verdicts on pictures with any name, as file systems and programs can give them."""
    # Bytes that are no UTF-8 come as lone surrogates; characters of every kind beside them.
    names = st.binary(min_size=1, max_size=40).map(os.fsdecode) | st.text(
        st.characters() | st.sampled_from("<&>\"'%=;,\t\r\n\0\x1b\x85\u2028\ufffe\udcff"),
        min_size=1,
    )
    genders = st.sampled_from(["female", "male", "unknown"])
    lengths = st.floats(0, 1e5)
    confidences = st.floats(0.5, 1)
    boxes = st.builds(Box, st.floats(-1e4, 1e5), st.floats(-1e4, 1e5), lengths, lengths)
    detectors = st.sampled_from(["lbp", "cnn", "none"])
    scores = st.none() | st.floats(0, 1)
    probabilities = st.floats(0, 1)
    turns = st.sampled_from([0, 90, 180, 270])
    classified = st.builds(
        Face, boxes, detectors, genders, confidences, scores, probabilities, turns
    )
    unclassified = st.builds(Face, boxes, detectors, st.none(), st.none(), scores, st.none(), turns)
    return st.builds(
        Prediction,
        file=names,
        status=st.sampled_from(["classified", "uncertain", "no_face", "unreadable"]),
        gender=genders,
        confidence=st.none() | confidences,
        faces=st.lists(
            classified | unclassified,
            max_size=4,
        ).map(tuple),
        run=st.from_regex("[0-9a-f]{12}", fullmatch=True),
        message=st.none() | st.text(st.characters(exclude_categories=())),
        p_female=st.none() | probabilities,
    )


@pytest.fixture(scope="session")
def classifier() -> igc.GenderClassifier:
    """At the threshold where the likelier gender always counts."""
    return igc.load(threshold=0.5)


@pytest.fixture(scope="session")
def face_pixels(face_picture: Path) -> npt.NDArray[np.uint8]:
    """The part of the picture around the face, RGB."""
    stored = cv2.imread(str(face_picture))
    assert stored is not None
    return np.ascontiguousarray(stored[20:220, 110:340, ::-1])


@pytest.fixture(scope="session")
def two_faces(face_pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The same face twice, side by side, RGB."""
    return np.hstack([face_pixels, face_pixels])


@pytest.fixture
def folder(samples: Path, tmp_path: Path) -> Path:
    """An input folder with three of the sample pictures, one of them with a face."""
    (tmp_path / "in").mkdir()
    for name in ("astronaut", "cat", "rocket"):
        shutil.copy(samples / f"{name}.jpg", tmp_path / "in")
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty output folder."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the shipped models, free to be damaged."""
    copy = tmp_path / "models"
    shutil.copytree(str(files("image_gender_classifier.models")), copy)
    return copy


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in this process."""

    def run(*options: object) -> CompletedProcess[str]:
        arguments = [str(option) for option in options]
        capsys.readouterr()
        try:
            code = program.main(arguments)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return CompletedProcess(arguments, code, said.out, said.err)

    return run


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command as a process of its own."""
    started: list[Popen[str]] = []
    # A shell that starts the tests in the background tells all below it to ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def launch(*arguments: object, env: dict[str, str] | None = None) -> Popen[str]:
        process = Popen(
            [sys.executable, "-m", "image_gender_classifier", *map(str, arguments)],
            stdout=PIPE,
            stderr=PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def process(start: Start) -> Command:
    """Runs the command as a process of its own, to its end."""

    def run(*options: object, env: dict[str, str] | None = None) -> CompletedProcess[str]:
        running = start(*options, env=env)
        out, err = running.communicate(timeout=120)
        assert "Traceback" not in err
        return CompletedProcess(running.args, running.returncode, out, err)

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for a dozen small files and no more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.call(mount, stderr=subprocess.DEVNULL) != 0:
        pytest.skip("a file system of its own cannot be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def ended_process() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def disk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty folder on a file system of the kind that the test gives as parameter."""
    place = tmp_path / "disk"
    place.mkdir()
    if request.param == "double":
        yield disks.act_like_exfat(place, monkeypatch)
        return
    with disks.mounted(request.param, place):
        yield place

"""--verbose and --debug print log messages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., CompletedProcess[str]]


def test_verbose_names_the_runtime_the_model_and_the_outputs(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    plain = command("-i", folder, "-o", out)
    said = command("-i", folder, "-o", out, "--verbose", "--csv", tmp_path / "t.csv")
    assert (plain.stderr, said.returncode) == ("", 0)
    assert "tflite runs gender_int8.tflite\n" in said.stderr
    assert f"writing xml to {out}\n" in said.stderr
    assert f"writing csv to {tmp_path / 't.csv'}\n" in said.stderr
    assert all(line.startswith("image-gender-classifier: ") for line in said.stderr.splitlines())
    other = command("-i", folder, "-o", out, "--verbose", "--runtime", "onnx")
    assert "onnx runs gender_int8.onnx\n" in other.stderr


def test_verbose_names_skipped_files(command: Command, folder: Path, out: Path) -> None:
    (folder / "notes.txt").write_text("text")
    command("-i", folder, "-o", out)
    said = command("-i", folder, "-o", out, "--verbose", "--resume").stderr
    assert f"skipping {folder / 'notes.txt'}: not a picture\n" in said
    assert "keeping the XML file of cat.jpg\n" in said


def test_debug_prints_each_prediction(command: Command, folder: Path, out: Path) -> None:
    result = "cat.jpg: no_face, unknown\n"
    assert result in command("-i", folder, "-o", out, "--debug").stderr
    assert result not in command("-i", folder, "-o", out, "--verbose").stderr


def test_a_run_restores_the_logger(command: Command, folder: Path, out: Path) -> None:
    logger = logging.getLogger("image_gender_classifier")
    before = (logger.level, list(logger.handlers))
    command("-i", folder, "-o", out, "--debug")
    assert (logger.level, list(logger.handlers)) == before


def test_a_host_application_receives_the_log_messages(
    command: Command, folder: Path, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "image_gender_classifier"):
        assert command("-i", folder, "-o", out).stderr == ""
    assert f"writing xml to {out}" in caplog.messages

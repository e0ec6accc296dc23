"""Exports a trained network: quantises, converts, verifies and publishes it.

The steps are the same for all networks. A `Task` contains what differs between the gender
classifier, the face detector and the face refiner.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from image_gender_classifier import manifest
from image_gender_classifier.convert import onnx, publish, tflite
from image_gender_classifier.convert.formats import Format
from image_gender_classifier.convert.publish import Entry, Export
from image_gender_classifier.convert.verification import Verification
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.runtimes import Runtime, open_model
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.keras_runtime import KerasRuntime

_SATURATES = "ONNX: sums can saturate on x86-64 processors without VNNI, which changes the outputs"


class TaskData(Protocol):
    """Interface of the pictures that a conversion uses; each network adds its own attributes."""

    @property
    def calibration(self) -> Pixels:
        """Network inputs for the quantisation ranges (uint8 RGB, N x S x S x 3)."""


_Data = TypeVar("_Data", bound=TaskData)


@dataclass(frozen=True, slots=True)
class Exported(Generic[Entry]):
    """A network in all formats, opened.

    Attributes:
        keras: The trained model and its manifest entry.
        tflite: The int8 TFLite file and its manifest entry, which names the float32 variant.
        onnx: The int8 ONNX file and its manifest entry; None if there is no ONNX file.
        float32: The float32 variant of the TFLite file; None if there is no variant.
        steps: Quantisation step of each output of the TFLite file, by number of channels.
    """

    keras: tuple[Runtime, Entry]
    tflite: tuple[Runtime, Entry]
    onnx: tuple[Runtime, Entry] | None
    float32: Runtime | None
    steps: dict[int, float]


@dataclass(frozen=True, slots=True)
class Task(Generic[Entry, _Data]):
    """The steps of a conversion that are specific to a network.

    Attributes:
        stem: File name of the exports without extension.
        open_keras: Opens a `.keras` file; returns the runtime and the manifest entry.
        read_data: Reads the pictures; takes the options and the network's input side in pixels.
        calibrate: Returns the manifest entry of the exports; takes the entry of the Keras model,
            the opened TFLite file and the pictures.
        verify: Compares the formats on the pictures; returns the figures and the reasons not to
            publish each format.
    """

    stem: str
    open_keras: Callable[[Path], tuple[KerasRuntime, Entry]]
    read_data: Callable[[argparse.Namespace, int], _Data]
    calibrate: Callable[[Entry, Runtime, _Data], Entry]
    verify: Callable[[Exported[Entry], _Data], Verification]


def export_network(
    task: Task[Entry, _Data], options: argparse.Namespace, command: str
) -> list[str]:
    """Exports a network, verifies the files, publishes those that pass and prints the figures.

    Args:
        task: The conversion task of the network.
        options: Parsed arguments of the command; see `convert.cli`.
        command: The command line, for the manifest.

    Returns:
        The reasons why nothing was published; an empty list if at least one format was.

    Raises:
        UsageError: `out` is not a folder, another run writes to it, or the options are
            inconsistent.
        ModelError: The model or its manifest is missing or corrupt, or the model cannot be
            exported.
        DataError: Labels or pictures are missing or invalid.
        OutputError: A file cannot be written.
        RuntimeMissing: LiteRT, or every runtime that the detector can use, is missing.
    """
    if not options.out.is_dir():
        raise UsageError(f"--out {options.out}: the folder does not exist; create it first")
    with lock_folders([options.out]):
        return _export(task, options, command)


def _export(task: Task[Entry, _Data], options: argparse.Namespace, command: str) -> list[str]:
    """Exports a network into its locked folder; see `export_network`."""
    keras_model, original = task.open_keras(options.model)
    keras_file = manifest.read_verified(options.model.parent, original)
    data = task.read_data(options, original.input_shape[0])

    print_line("quantising", sys.stdout)
    tflite_file = tflite.quantise(keras_model.model, data.calibration)
    onnx_file: bytes | None = None
    onnx_model: Runtime | None = None
    onnx_faults: list[str] = []
    if "onnx" in options.formats:
        resizable = keras_model.model.input_shape[1] is None
        onnx_file, onnx_model, onnx_faults = _to_onnx(
            tflite_file, data.calibration[:1], resizable=resizable
        )
    float32_file = publish.convert_float32_variant(tflite_file)
    tflite_model = open_model("tflite", tflite_file)
    entry = task.calibrate(original, tflite_model, data)
    entry = entry._replace(trained={**original.trained, "converted_by": command})
    tflite_entry = publish.make_entry(f"{task.stem}.tflite", tflite_file, entry)
    tflite_entry = publish.add_float32_variant(tflite_entry, float32_file)
    onnx_entry = publish.make_entry(f"{task.stem}.onnx", onnx_file or b"", entry)

    print_line("comparing the formats", sys.stdout)
    verification = task.verify(
        Exported(
            keras=(keras_model, original),
            tflite=(tflite_model, tflite_entry),
            onnx=None if onnx_model is None else (onnx_model, onnx_entry),
            float32=None if float32_file is None else open_model("tflite", float32_file),
            steps=tflite.read_quantisation_steps(tflite_file),
        ),
        data,
    )
    print_line(verification.summary, sys.stdout)
    faults: dict[Format, list[str]] = {
        name: list(found) for name, found in verification.faults.items()
    }
    faults["onnx"] += onnx_faults
    return publish.publish_verified(
        options.out,
        original,
        keras_file,
        [
            Export("tflite", tflite_entry, tflite_file, float32_file),
            Export("onnx", onnx_entry, onnx_file or b""),
        ],
        faults,
        float32_fault=verification.float32_fault,
        formats=options.formats,
    )


def _to_onnx(
    tflite_file: bytes, crop: Pixels, *, resizable: bool
) -> tuple[bytes | None, Runtime | None, list[str]]:
    """Converts a TFLite file to ONNX and runs it once.

    Args:
        tflite_file: The int8 TFLite file.
        crop: A network input (uint8 RGB, 1 x S x S x 3).
        resizable: See `convert_tflite_to_onnx`.

    Returns:
        The content of the ONNX file and the opened model, both None if the conversion fails; and
        the reasons not to publish the file, an empty list if there are none.
    """
    try:
        onnx_file = onnx.convert_tflite_to_onnx(tflite_file, resizable=resizable)
        model = open_model("onnx", onnx_file)
        model.run(crop)
    except Exception as error:  # of tf2onnx, ONNX or ONNX Runtime; the TFLite file is still valid
        reason = " ".join(str(error).split()) or type(error).__name__
        return None, None, [f"ONNX: the conversion failed ({reason})"]
    return onnx_file, model, [_SATURATES] if onnx.can_saturate(onnx_file) else []

"""`image-gender-convert`: a trained Keras model in, its int8 TFLite and ONNX forms out.

Nothing is published before the three have been compared side by side.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from image_gender_classifier.convert import calibration_set, onnx, tflite, verify
from image_gender_classifier.convert.crops import LabelledCrops, at_least, cut
from image_gender_classifier.convert.publish import entry_of, publish
from image_gender_classifier.errors import UsageError
from image_gender_classifier.loading import SHIPPED_STEM
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train import keras_runtime, platt
from image_gender_classifier.train.command import Parser, exit_code
from image_gender_classifier.train.data_options import add_data_options, read_data
from image_gender_classifier.train.datasets import DataError, Sample
from image_gender_classifier.train.detectors import add_detector_option, open_detector
from image_gender_classifier.train.recipe import Recipe
from image_gender_classifier.train.split import is_held_out

PROGRAM = "image-gender-convert"
REFUSED = 1
_FEWEST_CROPS = 1000
_FEWEST_CALIBRATION_CROPS = 200


def main(argv: Sequence[str] | None = None) -> int:
    """Converts a model.

    Args:
        argv: Arguments without the program's name; the process's own by default.

    Returns:
        0 when published, 1 when the exports differ too much (nothing is published), 2 after
        saying what else is wrong.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    faults: list[str] = []
    code = exit_code(PROGRAM, lambda: faults.extend(_convert(arguments)))
    if faults:
        print(f"{PROGRAM}: nothing is published: {'; '.join(faults)}", file=sys.stderr)
        return REFUSED
    return code


def _convert(arguments: Sequence[str]) -> list[str]:
    """Exports, compares and publishes; gives the reasons not to publish, if there are any."""
    options = _parser().parse_args(arguments)
    if not options.out.is_dir():
        raise UsageError(f"--out {options.out}: the folder does not exist")
    original = keras_runtime.open_classifier(options.model).entry
    keras_model = keras_runtime.open_model(options.model)
    calibration, held_out, compared = _crops(options, original.input_shape[0])

    tflite_file = tflite.quantise(keras_model.model, calibration.crops)
    onnx_file = onnx.from_tflite(tflite_file)
    tflite_model = open_model("tflite", tflite_file)
    comparison = verify.compare(
        compared.crops,
        compared.female,
        keras_model,
        tflite_model,
        open_model("onnx", onnx_file),
        step=tflite.logit_step(tflite_file),
    )
    print(comparison.table())
    if faults := comparison.faults():
        return faults

    converted = {**original.trained, "converted_by": shlex.join([PROGRAM, *arguments])}
    # One calibration for both formats: the same logit must give the same verdict.
    exported = platt.calibrated(original, tflite_model, held_out.crops, held_out.female)
    exported = replace(exported, trained=converted)
    files = {
        original.file: options.model.read_bytes(),
        f"{SHIPPED_STEM}.tflite": tflite_file,
        f"{SHIPPED_STEM}.onnx": onnx_file,
    }
    entries = [original, *(entry_of(name, files[name], exported) for name in list(files)[1:])]
    publish(options.out, files, entries)
    for entry in entries:
        print(f"{options.out / entry.file}: {entry.bytes:,} bytes")
    return []


def _crops(
    options: argparse.Namespace, size: int
) -> tuple[LabelledCrops, LabelledCrops, LabelledCrops]:
    """Cuts the crops for quantisation, for the probabilities and for the comparison.

    The latter two are of samples that the network did not learn from: the part that training
    holds out, and FairFace's own validation part where it is there. Where a data set is too
    small for that, as the sample pictures are, its samples serve for all.
    """
    detector = open_detector(options.detector)
    own_split = options.layout == "fairface"
    samples = read_data(options, "train" if own_split else "all").samples
    held_out = [sample for sample in samples if is_held_out(sample.name, Recipe().held_out)]
    learnt = [sample for sample in samples if not is_held_out(sample.name, Recipe().held_out)]
    compared = _fairface_validation(options) if own_split else held_out
    return (
        at_least(
            cut(calibration_set.choose(learnt or samples), detector, size),
            _FEWEST_CALIBRATION_CROPS,
        ),
        at_least(cut(held_out or samples, detector, size), _FEWEST_CROPS),
        at_least(cut(compared or held_out or samples, detector, size), _FEWEST_CROPS),
    )


def _fairface_validation(options: argparse.Namespace) -> Sequence[Sample]:
    try:
        return read_data(options, "val").samples
    except DataError:
        return ()  # either label file alone will do


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Exports a trained Keras model to int8 TFLite and ONNX, compares the three "
        "and publishes them with their manifest.",
    )
    add_data_options(parser)
    add_detector_option(parser)
    add = parser.add_argument
    add("--model", type=Path, required=True, metavar="FILE", help="the trained .keras model")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to publish into")
    return parser

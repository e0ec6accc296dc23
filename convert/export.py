"""One conversion: export, calibrate, compare, and publish what agrees."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.convert import calibration_set, onnx, tflite, verify
from image_gender_classifier.convert.crops import LabelledCrops, at_least, cut
from image_gender_classifier.convert.publish import (
    Export,
    entry_of,
    form_in_float,
    publish_right,
    with_form,
)
from image_gender_classifier.errors import UsageError
from image_gender_classifier.loading import SHIPPED_STEM
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.runtimes import Runtime, open_model
from image_gender_classifier.train.common import cutting, keras_runtime
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.cutting import WithoutCrop
from image_gender_classifier.train.common.data_options import read_data, training_split
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, Sample, Split
from image_gender_classifier.train.datasets.fairface import label_file
from image_gender_classifier.train.gender import calibration

_FEWEST_CROPS = 1000
_FEWEST_CALIBRATION_CROPS = 200


def export(options: argparse.Namespace, command: str) -> list[str]:
    """Exports, compares and publishes.

    Args:
        options: What the command was asked to do.
        command: The command line, for the manifest.

    Returns:
        The reasons not to publish; nothing is published if there are any.
    """
    if not options.out.is_dir():
        raise UsageError(f"--out {options.out}: the folder does not exist")
    keras_model, original = keras_runtime.open_known(options.model)
    crops = _crops(options, original.input_shape[0])
    quantising = at_least(crops.quantising, _FEWEST_CALIBRATION_CROPS)
    compared = at_least(crops.compared, _FEWEST_CROPS)

    tflite_file = tflite.quantise(keras_model.model, quantising.crops)
    onnx_file = onnx.from_tflite(tflite_file)
    float_file = form_in_float(tflite_file)
    tflite_model = open_model("tflite", tflite_file)
    exported = _calibrated(original, tflite_model, crops.held_out)
    converted = {**original.trained, "converted_by": command}
    exported = exported._replace(trained=converted)
    of_tflite = entry_of(f"{SHIPPED_STEM}.tflite", tflite_file, exported)
    of_tflite = with_form(of_tflite, float_file)
    of_onnx = entry_of(f"{SHIPPED_STEM}.onnx", onnx_file, exported)

    comparison = verify.compare(
        compared.crops,
        compared.are(original.positive),
        Classifier(keras_model, original),
        Classifier(tflite_model, of_tflite),
        Classifier(open_model("onnx", onnx_file), of_onnx),
        None if float_file is None else Classifier(open_model("tflite", float_file), of_tflite),
        step=tflite.logit_step(tflite_file),
    )
    if len(compared) > len(crops.compared):
        say(
            f"too few pictures: {len(crops.compared)} of them and augmented copies are compared; "
            "image-gender-evaluate measures how good a model is",
            sys.stdout,
        )
    say(comparison.table(), sys.stdout)
    faults = comparison.faults()
    if onnx.saturates(onnx_file):
        faults["onnx"].append(verify.SATURATES)
    return publish_right(
        options.out,
        original,
        options.model.read_bytes(),
        [Export("tflite", of_tflite, tflite_file, float_file), Export("onnx", of_onnx, onnx_file)],
        faults,
        float32_fault=comparison.float32_fault,
        wanted=options.formats,
    )


def _calibrated(original: ModelEntry, exported: Runtime, held_out: LabelledCrops) -> ModelEntry:
    """Gives the entry of both formats: the same logit must give the same verdict."""
    positive = held_out.are(original.positive)
    entry, kept = calibration.calibrated(original, exported, held_out.crops, positive)
    if kept is not None:
        say(f"calibration and threshold stay those of {original.file}: {kept}", sys.stdout)
    return entry


@dataclass(frozen=True, slots=True)
class _Crops:
    """Real crops, each once.

    Attributes:
        quantising: What the quantiser sees; at least one.
        held_out: What the network did not learn from, for the probabilities; may be none.
        compared: What the three forms are compared on; at least one.
    """

    quantising: LabelledCrops
    held_out: LabelledCrops
    compared: LabelledCrops


def _crops(options: argparse.Namespace, size: int) -> _Crops:
    """Cuts the crops for quantisation, for the probabilities and for the comparison.

    The latter two are of samples that the network did not learn from: the part that training
    holds out, and FairFace's own validation part where it is there. Where a data set is too
    small for that, as the sample pictures are, its samples serve for quantisation and comparison
    alike.
    """
    samples = _read(options, training_split(options.layout))
    detector, without = open_detector(options.detector), WithoutCrop()
    parts: dict[bool, list[Sample]] = {True: [], False: []}
    for sample in samples:
        parts[is_held_out(sample.name)].append(sample)
    held_out = cut(parts[True], detector, size, without)
    quantising = cut(calibration_set.choose(parts[False]), detector, size, without)
    compared = cut(_fairface_validation(options), detector, size, without) or held_out
    if not quantising or not compared:
        everything = cut(samples, detector, size, without)
        quantising, compared = quantising or everything, compared or everything
    # A picture may have been tried twice.
    unreadable = list(dict(without.unreadable))
    no_face = list(dict.fromkeys(without.no_face))
    if not compared:
        raise DataError(cutting.nothing_cut(len(unreadable), len(no_face)))
    if unreadable or no_face:
        say(cutting.left_out(unreadable, no_face), sys.stdout)
    return _Crops(quantising, held_out, compared)


def _read(options: argparse.Namespace, split: Split) -> Sequence[Sample]:
    reading = read_data(options, split)
    say(reading.report(), sys.stdout)
    return reading.samples


def _fairface_validation(options: argparse.Namespace) -> Sequence[Sample]:
    """FairFace's own validation part; none where there is no such part."""
    if options.layout != "fairface" or not label_file(options.data, "val").exists():
        return ()
    return _read(options, "val")

"""The export task of the gender classifier: its crops, calibration and verification."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.convert import calibration_set, verify_gender
from image_gender_classifier.convert.crops import cut_labelled_crops, extend_to_count
from image_gender_classifier.convert.export import Exported, Task
from image_gender_classifier.convert.output_equality import (
    compute_fraction_differing,
    find_float32_fault,
    find_onnx_faults,
)
from image_gender_classifier.convert.shipped_comparison import compare_with_shipped
from image_gender_classifier.convert.verification import Verification
from image_gender_classifier.convert.verify_frames import (
    find_frame_faults,
    format_frame_difference,
    measure_frame_difference,
)
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import SHIPPED_STEM
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.common import cutting, keras_runtime
from image_gender_classifier.train.common.command import print_line, print_warning
from image_gender_classifier.train.common.cutting import SkippedSamples
from image_gender_classifier.train.common.data_options import read_data_and_report, training_split
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, Sample
from image_gender_classifier.train.datasets.fairface import label_file_path
from image_gender_classifier.train.gender import calibration
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops

MIN_VERIFICATION_CROPS = 1000
MIN_CALIBRATION_CROPS = 200


@dataclass(frozen=True, slots=True)
class GenderData:
    """The face crops for converting a gender classifier.

    Attributes:
        calibration: Crops for the quantisation ranges (uint8 RGB, N x S x S x 3, N > 0), including
            augmented copies if there are fewer than 200.
        held_out: Crops that the network was not trained on, for Platt scaling; may be empty.
        verification: At least 1,000 crops to compare the formats on; augmented copies come last.
        real: Number of verification crops that are not augmented copies, at least 1.
    """

    calibration: Pixels
    held_out: LabelledCrops
    verification: LabelledCrops
    real: int


def read_crops(options: argparse.Namespace, size: int) -> GenderData:
    """Cuts the crops for quantisation, Platt scaling and verification; prints skipped samples.

    Platt scaling uses the held-out samples, quantisation the calibration set of the others.
    Verification uses FairFace's validation split if it has crops, otherwise the held-out samples.
    If there are no crops for quantisation or none for verification, that step uses all samples.

    Args:
        options: Parsed arguments, completed by `recorded_data.complete_options`.
        size: Side of the crops in pixels.

    Returns:
        The crops, with augmented copies if there are too few.

    Raises:
        DataError: None of the pictures has a crop, or labels or pictures are missing or invalid.
        ModelError: A model file of the detector is missing or corrupt, or cannot be run.
        RuntimeMissing: No runtime that the detector can use is installed.
        UsageError: The label options do not match `--layout`.
    """
    samples = read_data_and_report(options, training_split(options.layout)).samples
    detector, skipped = open_detector(options.detector), SkippedSamples()
    parts: dict[bool, list[Sample]] = {True: [], False: []}
    for sample in samples:
        parts[is_held_out(sample.name, options.held_out)].append(sample)
    held_out = cut_labelled_crops(parts[True], detector, size, skipped)
    chosen = calibration_set.choose_calibration_samples(parts[False])
    quantising = cut_labelled_crops(chosen, detector, size, skipped)
    compared = (
        cut_labelled_crops(_fairface_validation(options), detector, size, skipped) or held_out
    )
    if not quantising or not compared:
        everything = cut_labelled_crops(samples, detector, size, skipped)
        quantising, compared = quantising or everything, compared or everything
    # Cutting all samples can add a picture to `skipped` twice.
    unreadable = list(dict(skipped.unreadable))
    no_face = list(dict.fromkeys(skipped.no_face))
    if not compared:
        raise DataError(cutting.explain_no_crops(len(unreadable), len(no_face)))
    if unreadable or no_face:
        print_line(cutting.format_skipped(unreadable, no_face), sys.stdout)
    return GenderData(
        extend_to_count(quantising, MIN_CALIBRATION_CROPS).crops,
        held_out,
        extend_to_count(compared, MIN_VERIFICATION_CROPS),
        len(compared),
    )


def calibrate(original: ModelEntry, tflite: Runtime, data: GenderData) -> ModelEntry:
    """Fits Platt scaling and the confidence threshold to the logits of the TFLite file.

    The ONNX file gets the same values. If the fit fails, such as for lack of held-out crops, keeps
    the values of the Keras model and prints the reason.

    Args:
        original: Manifest entry of the Keras model.
        tflite: The opened TFLite file.
        data: The crops.

    Returns:
        The manifest entry of the exports.

    Raises:
        ModelError: The TFLite file cannot be run, or its output is not one finite number per crop.
    """
    positive = data.held_out.is_gender(original.positive)
    entry, reason = calibration.calibrate_entry(original, tflite, data.held_out.crops, positive)
    if reason is not None:
        print_line(f"keeping calibration and threshold of {original.file}: {reason}", sys.stdout)
    return entry


def verify_crops(exported: Exported[ModelEntry], data: GenderData) -> Verification:
    """Compares accuracy and logits of all formats on the verification crops.

    Prints a warning if some of the crops are augmented copies.

    Args:
        exported: The network in all formats.
        data: The crops.

    Returns:
        The figures, and the reasons not to publish each format.

    Raises:
        ModelError: A model cannot be run, or its output is not one finite number per crop.
    """
    compared = data.verification
    if len(compared) > data.real:
        print_warning(
            f"too few verification crops ({data.real:,}), so augmented copies of them are used "
            "too; measure the accuracy with image-gender-evaluate"
        )
    tflite_entry = exported.tflite[1]
    comparison = verify_gender.compare_formats(
        compared.crops,
        compared.is_gender(exported.keras[1].positive),
        keras=Classifier(*exported.keras),
        tflite=Classifier(*exported.tflite),
        onnx=None if exported.onnx is None else Classifier(*exported.onnx),
        float32=None if exported.float32 is None else Classifier(exported.float32, tflite_entry),
        step=exported.steps[1],
    )
    figures = comparison.format_figures()
    against_shipped = compare_with_shipped(
        exported.keras[1], Classifier(*exported.tflite), data.held_out
    )
    if against_shipped is not None:
        figures += f"\n{against_shipped}"
    faults, float32_fault = comparison.faults(), comparison.float32_fault
    units = tflite_entry.frame_output
    if units is not None:
        models = exported.keras[0], exported.tflite[0]
        difference = measure_frame_difference(*models, units, compared.crops)
        figures += f"\n{format_frame_difference(difference)}"
        for found in faults.values():
            found.extend(find_frame_faults(difference))
    if tflite_entry.outputs > 1:
        model, crops = exported.tflite[0], compared.crops
        if exported.onnx is not None:
            differing = compute_fraction_differing(model, exported.onnx[0], crops)
            faults["onnx"] += find_onnx_faults(differing)
        float32_fault = float32_fault or find_float32_fault(model, exported.float32, crops)
    return Verification(figures, faults, float32_fault)


def _fairface_validation(options: argparse.Namespace) -> Sequence[Sample]:
    """Returns the samples of FairFace's validation split; empty if the data set has none."""
    if options.layout != "fairface" or not label_file_path(options.data, "val").exists():
        return ()
    return read_data_and_report(options, "val").samples


TASK = Task(SHIPPED_STEM, keras_runtime.open_keras_with_entry, read_crops, calibrate, verify_crops)

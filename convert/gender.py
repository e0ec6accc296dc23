"""The conversion task of the gender classifier."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.convert import calibration_set, verify
from image_gender_classifier.convert.crops import LabelledCrops, at_least, cut
from image_gender_classifier.convert.export import Exported, Task
from image_gender_classifier.convert.verify import Verification
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import SHIPPED_STEM
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.common import cutting, keras_runtime
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.cutting import WithoutCrop
from image_gender_classifier.train.common.data_options import read_reported, training_split
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, Sample
from image_gender_classifier.train.datasets.fairface import label_file
from image_gender_classifier.train.gender import calibration

MIN_VERIFICATION_CROPS = 1000
MIN_CALIBRATION_CROPS = 200


@dataclass(frozen=True, slots=True)
class GenderData:
    """Crops for one conversion.

    Attributes:
        calibration: Crops that set the quantisation ranges (uint8 RGB, N x S x S x 3, N > 0).
        held_out: Crops that the network was not trained on, for Platt scaling; may be empty.
        verification: Crops to compare the formats on; some may be augmented copies.
        real: Number of verification crops that are not copies.
    """

    calibration: Pixels
    held_out: LabelledCrops
    verification: LabelledCrops
    real: int


def read_crops(options: argparse.Namespace, size: int) -> GenderData:
    """Cuts the crops for quantisation, Platt scaling and verification.

    Held-out samples serve for Platt scaling. FairFace's validation part serves for verification if
    it is present, else the held-out samples do. If a data set is too small for that, all of its
    samples serve for both quantisation and verification.

    Args:
        options: The data options and `detector`.
        size: Side of the crops in pixels.

    Raises:
        DataError: No picture gives a crop, or labels or pictures are missing or wrong.
    """
    samples = read_reported(options, training_split(options.layout)).samples
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
    # The second attempt above can list a picture twice.
    unreadable = list(dict(without.unreadable))
    no_face = list(dict.fromkeys(without.no_face))
    if not compared:
        raise DataError(cutting.nothing_cut(len(unreadable), len(no_face)))
    if unreadable or no_face:
        say(cutting.left_out(unreadable, no_face), sys.stdout)
    return GenderData(
        at_least(quantising, MIN_CALIBRATION_CROPS).crops,
        held_out,
        at_least(compared, MIN_VERIFICATION_CROPS),
        len(compared),
    )


def calibrate(original: ModelEntry, tflite: Runtime, data: GenderData) -> ModelEntry:
    """Fits Platt scaling and threshold on the TFLite file's logits; both formats share them."""
    positive = data.held_out.are(original.positive)
    entry, kept = calibration.calibrated(original, tflite, data.held_out.crops, positive)
    if kept is not None:
        say(f"keeping calibration and threshold of {original.file}: {kept}", sys.stdout)
    return entry


def verify_crops(exported: Exported[ModelEntry], data: GenderData) -> Verification:
    """Compares accuracy and logits of all formats on the verification crops."""
    compared = data.verification
    if len(compared) > data.real:
        say(
            f"too few pictures: comparing on {data.real} crops and augmented copies of them; use "
            "image-gender-evaluate to measure accuracy",
            sys.stdout,
        )
    tflite_entry = exported.tflite[1]
    comparison = verify.compare(
        compared.crops,
        compared.are(exported.keras[1].positive),
        keras=Classifier(*exported.keras),
        tflite=Classifier(*exported.tflite),
        onnx=None if exported.onnx is None else Classifier(*exported.onnx),
        float32=None if exported.float32 is None else Classifier(exported.float32, tflite_entry),
        step=exported.steps[1],
    )
    return Verification(comparison.table(), comparison.faults(), comparison.float32_fault)


def _fairface_validation(options: argparse.Namespace) -> Sequence[Sample]:
    """Reads FairFace's validation part; gives nothing if there is none."""
    if options.layout != "fairface" or not label_file(options.data, "val").exists():
        return ()
    return read_reported(options, "val").samples


TASK = Task(SHIPPED_STEM, keras_runtime.open_known, read_crops, calibrate, verify_crops)

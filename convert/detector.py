"""One conversion of a face finder: export, compare on scenes, and publish what agrees."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier import manifest
from image_gender_classifier.convert import onnx, tflite, verify
from image_gender_classifier.convert.formats import FORMATS, TITLES, Format
from image_gender_classifier.convert.publish import (
    Export,
    entry_of,
    form_in_float,
    publish_right,
    with_form,
)
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.errors import ModelError, UnreadablePicture, UsageError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.runtimes import Runtime, open_model
from image_gender_classifier.train.common import cutting, keras_runtime
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.data_options import read_data, training_split
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.split import Parts, divide
from image_gender_classifier.train.datasets import DataError, LeftOut
from image_gender_classifier.train.detector import backgrounds, scenes
from image_gender_classifier.train.detector.scenes import Scene, Sources

STEM = "face_detector_int8"
_CALIBRATING, _COMPARED = 300, 1000  # scenes
_FACES = 500  # crops that either kind of scene is made of
_STORED = 128  # side of these crops in pixels
_LARGER_THAN_SHOWN = 320  # side in pixels of the scenes, that closer looks see something
_HELD_OUT = 0.05
_LARGEST_LOSS = 0.01  # of recall, against Keras
_MOST_ALARMS = 0.03  # more of the scenes without a face, which are a fifth
_LARGEST_DRIFT = 0.01
_MOST_DIFFERING = 0.001
_A_STEP = 1.001  # a rounded step is not exactly one


@dataclass(frozen=True, slots=True)
class Score:
    """How a finder does on scenes.

    Attributes:
        recall: Share of the faces that it finds, 0 to 1.
        false_alarms: Share of the scenes without a face in which it finds one.
        drift: Mean over the faces found of the furthest that side or centre is off, over the side.
    """

    recall: float
    false_alarms: float
    drift: float = 0.0

    def __str__(self) -> str:
        return (
            f"{100 * self.recall:.2f} % found, frames {100 * self.drift:.2f} % off, "
            f"{100 * self.false_alarms:.2f} % false alarms"
        )


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
    original = manifest.load(options.model.parent).face_detectors.get(options.model.name)
    if original is None:
        raise ModelError(
            f"{options.model}: its manifest does not know it as a face finder; make both with "
            "image-gender-train-detector"
        )
    keras_file = manifest.read_verified(options.model.parent, original)
    keras_model = keras_runtime.open_model(options.model)
    calibrating, compared = _scenes(options, original.input_shape[0])

    size = original.input_shape[0]
    squares = np.stack([letterbox(scene.pixels, size) for scene in calibrating])
    tflite_file = tflite.quantise(keras_model.model, squares)
    onnx_file = onnx.from_tflite(tflite_file)
    float_file = form_in_float(tflite_file)
    exported = original._replace(trained={**original.trained, "converted_by": command})
    of_tflite = with_form(entry_of(f"{STEM}.tflite", tflite_file, exported), float_file)
    of_onnx = entry_of(f"{STEM}.onnx", onnx_file, exported)
    runtimes: list[Runtime] = [
        keras_model,
        open_model("tflite", tflite_file),
        open_model("onnx", onnx_file),
    ]
    differing = _share_differing(runtimes[1], runtimes[2], squares, tflite.steps(tflite_file))
    results = [
        score(FaceDetector(runtime, entry), compared)
        for runtime, entry in zip(runtimes, (original, of_tflite, of_onnx), strict=True)
    ]
    for name, result in zip(("Keras", *TITLES.values()), results, strict=True):
        say(f"{name}: {result}, of {len(compared)} scenes", sys.stdout)
    say(f"TFLite and ONNX: {differing:.6f} of the numbers more than a step apart", sys.stdout)
    faults = _faults(results, differing)
    if onnx.saturates(onnx_file):
        faults["onnx"].append(verify.SATURATES)
    float32_fault = None
    if float_file is not None:
        shown = np.stack([letterbox(scene.pixels, size) for scene in compared])
        if not _answers_alike(runtimes[1], open_model("tflite", float_file), shown):
            float32_fault = "its answers differ from TFLite's"
    return publish_right(
        options.out,
        original,
        keras_file,
        [Export("tflite", of_tflite, tflite_file, float_file), Export("onnx", of_onnx, onnx_file)],
        faults,
        float32_fault=float32_fault,
        wanted=options.formats,
    )


def score(finder: FaceDetector, compared: Sequence[Scene]) -> Score:
    """Counts what a finder finds: a face counts as found where a box is about its frame."""
    faces = alarms = empty = 0
    drifts: list[float] = []
    for scene in compared:
        height, width = scene.pixels.shape[:2]
        boxes = [face.box for face in finder.detect(Picture(scene.pixels, width, height))]
        if not scene.frames:
            empty += 1
            alarms += bool(boxes)
        for frame in scene.frames:
            faces += 1
            drifts += [_drift(box, frame) for box in boxes if _about(box, frame)][:1]
    return Score(
        len(drifts) / max(faces, 1), alarms / max(empty, 1), sum(drifts) / max(len(drifts), 1)
    )


def _about(box: Box, frame: Box) -> bool:
    """Tells whether a box has its centre in the middle half of a frame."""
    return _way(box, frame) <= 1 / 4


def _drift(box: Box, frame: Box) -> float:
    return max(_way(box, frame), abs(box.width / frame.width - 1))


def _way(box: Box, frame: Box) -> float:
    """Gives how far the centres are apart, across or down, over the frame's side."""
    right = abs(box.x + box.width / 2 - frame.x - frame.width / 2)
    down = abs(box.y + box.height / 2 - frame.y - frame.height / 2)
    return max(right, down) / frame.width


def _share_differing(
    one: Runtime, other: Runtime, squares: Pixels, steps: dict[int, float]
) -> float:
    """Gives the share of two runtimes' maps that differs by more than a quantisation step.

    They round sums within the network differently where these lie half way; a convolution behind
    can make several steps of that.
    """
    theirs = {output.shape[-1]: output for output in other.run(squares)}
    pairs = [(output, theirs[output.shape[-1]]) for output in one.run(squares)]
    # Asked this way round, so that what is no number differs as well.
    alike = [np.abs(a - b) <= _A_STEP * steps[a.shape[-1]] for a, b in pairs]
    return 1 - float(np.concatenate([output.ravel() for output in alike]).mean())


def _answers_alike(one: Runtime, other: Runtime, squares: Pixels) -> bool:
    """Tells whether two runtimes' maps are the same, to the bit."""
    pairs = zip(one.run(squares), other.run(squares), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def _faults(results: Sequence[Score], differing: float) -> dict[Format, list[str]]:
    """Says why each format must not be published; empty lists where they may."""
    original, *exports = results
    found: dict[Format, list[str]] = {}
    for name, result in zip(FORMATS, exports, strict=True):
        found[name] = []
        # Asked this way round, so that what is no number is a fault as well.
        loss = original.recall - result.recall
        if not loss <= _LARGEST_LOSS:
            found[name].append(f"{TITLES[name]} finds {100 * loss:.2f} points less than Keras")
        alarms = result.false_alarms - original.false_alarms
        if not alarms <= _MOST_ALARMS:
            found[name].append(
                f"{TITLES[name]} has {100 * alarms:.2f} points more false alarms than Keras"
            )
        drift = result.drift - original.drift
        if not drift <= _LARGEST_DRIFT:
            found[name].append(
                f"{TITLES[name]}'s frames are {100 * drift:.2f} points further off than Keras's"
            )
    if not differing <= _MOST_DIFFERING:
        found["onnx"].append(f"ONNX differs from TFLite in {100 * differing:.2f} % of its maps")
    return found


def _scenes(options: argparse.Namespace, size: int) -> tuple[list[Scene], list[Scene]]:
    """Draws scenes for the quantiser, and others, of what is held out, for the comparison."""
    samples = read_data(options, training_split(options.layout)).samples
    places = backgrounds.read(options.backgrounds)
    if places.unreadable:
        say(str(LeftOut("unreadable backgrounds", tuple(places.unreadable))), sys.stdout)
    cut = cutting.by(open_detector("none"))
    faces = divide([sample.name for sample in samples], _HELD_OUT)
    grounds = divide(places.names, _HELD_OUT)

    def drawn(part: str, count: int, longest: int, key: int) -> list[Scene]:
        crops, unreadable = [], []
        for position in _of(faces, part)[:_FACES]:
            try:
                crop = cut(samples[position].path, _STORED)
            except UnreadablePicture:
                unreadable.append(samples[position].name)
                continue
            if crop is not None:
                crops.append(crop)
        if unreadable:
            say(str(LeftOut(f"unreadable faces, {part}", tuple(unreadable))), sys.stdout)
        pictures = [places.pictures[place] for place in _of(grounds, part)]
        if not crops or not pictures:
            raise DataError("there are too few pictures to make scenes of")
        sources = Sources(np.stack(crops), range(len(crops)), pictures)
        return [
            scenes.draw(sources, longest, np.random.default_rng((key, place)))
            for place in range(count)
        ]

    return (
        drawn("training", _CALIBRATING, size, 7),
        drawn("held_out", _COMPARED, _LARGER_THAN_SHOWN, 8),
    )


def _of(parts: Parts, name: str) -> tuple[int, ...]:
    part: tuple[int, ...] = getattr(parts, name)
    return part

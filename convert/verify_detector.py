"""Comparison of a face detector's formats on scenes with known faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier.convert.export import Exported
from image_gender_classifier.convert.formats import FORMATS, TITLES, Format
from image_gender_classifier.convert.verify import Verification
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.tiling import letterbox
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.detector.scenes import Scene

# Limits against the Keras model.
MAX_RECALL_LOSS = 0.01
MAX_EXTRA_FALSE_ALARMS = 0.03  # share of the scenes without a face, a fifth of all scenes
MAX_EXTRA_OFFSET = 0.01
_MATCH_DISTANCE = 1 / 4  # of the frame's side


@dataclass(frozen=True, slots=True)
class Score:
    """A face detector's result on scenes.

    Attributes:
        recall: Share of the faces found, 0 to 1.
        false_alarms: Share of the scenes without a face in which a face is found, 0 to 1.
        offset: Mean over the faces found of the largest error of side or centre, as a share of the
            frame's side.
    """

    recall: float
    false_alarms: float
    offset: float = 0.0

    def __str__(self) -> str:
        return (
            f"recall {100 * self.recall:.2f} %, mean frame error {100 * self.offset:.2f} %, "
            f"false alarms {100 * self.false_alarms:.2f} %"
        )


def verify_scenes(
    exported: Exported[FaceDetectorEntry], squares: Pixels, compared: Sequence[Scene]
) -> Verification:
    """Compares recall, false alarms, frames and heat maps of all formats.

    Args:
        exported: The formats.
        squares: Network inputs to compare the heat maps on (uint8 RGB, N x S x S x 3).
        compared: Scenes to detect faces in.
    """
    models = [exported.keras, exported.tflite]
    differing = 0.0
    tflite_model, entry = exported.tflite
    if exported.onnx is not None:
        models.append(exported.onnx)
        differing = _share_differing(tflite_model, exported.onnx[0], squares)
    scores = [score(FaceDetector(*model), compared) for model in models]
    float32_fault = None
    if exported.float32 is not None:
        inputs = np.stack([letterbox(scene.pixels, entry.input_shape[0]) for scene in compared])
        if not _equal_outputs(tflite_model, exported.float32, inputs):
            float32_fault = "its answers differ from TFLite's"
    lines = [
        f"{name}: {result}, on {len(compared)} scenes"
        for name, result in zip(("Keras", *TITLES.values()), scores, strict=False)
    ]
    if exported.onnx is not None:
        lines.append(f"TFLite and ONNX: {100 * differing:.4f} % of the heat-map values differ")
    return Verification("\n".join(lines), _faults(scores, differing), float32_fault)


def score(detector: FaceDetector, compared: Sequence[Scene]) -> Score:
    """Scores a face detector on scenes.

    A face counts as found if a box's centre lies in the middle half of its frame.
    """
    faces = alarms = empty = 0
    offsets: list[float] = []
    for scene in compared:
        height, width = scene.pixels.shape[:2]
        boxes = [face.box for face in detector.detect(Picture(scene.pixels, width, height))]
        if not scene.frames:
            empty += 1
            alarms += bool(boxes)
        for frame in scene.frames:
            faces += 1
            matches = (box for box in boxes if _centre_distance(box, frame) <= _MATCH_DISTANCE)
            if (match := next(matches, None)) is not None:
                side_error = abs(match.width / frame.width - 1)
                offsets.append(max(_centre_distance(match, frame), side_error))
    return Score(
        len(offsets) / max(faces, 1), alarms / max(empty, 1), sum(offsets) / max(len(offsets), 1)
    )


def _centre_distance(box: Box, frame: Box) -> float:
    """Gives the larger distance of the centres, across or down, over the frame's side."""
    right = abs(box.x + box.width / 2 - frame.x - frame.width / 2)
    down = abs(box.y + box.height / 2 - frame.y - frame.height / 2)
    return max(right, down) / frame.width


def _share_differing(one: Runtime, other: Runtime, squares: Pixels) -> float:
    """Gives the share of two runtimes' outputs that differ; NaN counts as a difference."""
    theirs = {output.shape[-1]: output for output in other.run(squares)}
    pairs = [(output, theirs[output.shape[-1]]) for output in one.run(squares)]
    return 1 - float(np.concatenate([(a == b).ravel() for a, b in pairs]).mean())


def _equal_outputs(one: Runtime, other: Runtime, squares: Pixels) -> bool:
    """Reports whether two runtimes give the same outputs, bit for bit."""
    pairs = zip(one.run(squares), other.run(squares), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def _faults(scores: Sequence[Score], differing: float) -> dict[Format, list[str]]:
    """Gives the reasons against publishing each format; empty lists for formats that pass."""
    keras, *exports = scores
    found: dict[Format, list[str]] = {name: [] for name in FORMATS}
    for name, result in zip(FORMATS, exports, strict=False):  # ONNX may be missing
        title = TITLES[name]
        # `not <=` also rejects NaN.
        loss = keras.recall - result.recall
        if not loss <= MAX_RECALL_LOSS:
            found[name].append(f"{title}: recall is {100 * loss:.2f} points below Keras")
        alarms = result.false_alarms - keras.false_alarms
        if not alarms <= MAX_EXTRA_FALSE_ALARMS:
            found[name].append(f"{title}: {100 * alarms:.2f} points more false alarms than Keras")
        offset = result.offset - keras.offset
        if not offset <= MAX_EXTRA_OFFSET:
            found[name].append(
                f"{title}: mean frame error is {100 * offset:.2f} points above Keras"
            )
    if differing != 0:
        found["onnx"].append(f"ONNX: {100 * differing:.4f} % of the heat-map values differ")
    return found

"""Compares the formats of a face detector on synthetic scenes with known faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier.convert.export import Exported
from image_gender_classifier.convert.formats import FORMATS, TITLES, Format
from image_gender_classifier.convert.output_equality import (
    compute_fraction_differing,
    find_float32_fault,
    find_onnx_faults,
)
from image_gender_classifier.convert.verification import Verification
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.tiling import letterbox, letterbox_large
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector.scene import Scene

# Limits relative to the Keras model.
MAX_RECALL_LOSS = 0.01
MAX_EXTRA_FALSE_ALARMS = 0.03  # fraction of the scenes without a face, about a quarter of all
MAX_EXTRA_OFFSET = 0.01
_LARGE_INPUT_SCENES = 200  # scenes to compare the outputs of the largest input on
_MATCH_DISTANCE = 1 / 4  # fraction of the frame's side


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """Scores of a face detector on scenes.

    Attributes:
        recall: Fraction of the faces that are detected, 0 to 1; 0 if there are no faces.
        false_alarms: Fraction of the scenes without a face in which a face is detected, 0 to 1; 0
            if every scene has a face.
        offset: Mean error of the boxes of detected faces, as a fraction of the true side; 0 if no
            face is detected. The error of a box is its side error or centre error, whichever is
            larger.
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
    """Compares recall, false alarms, box errors and output values of all formats.

    Args:
        exported: The network in all formats.
        squares: Network inputs to compare the outputs on (uint8 RGB, N x S x S x 3, N > 0).
        compared: Scenes to detect faces in, at least one.

    Returns:
        The figures, and the reasons not to publish each format.

    Raises:
        ModelError: A model cannot be run.
    """
    models = [exported.keras, exported.tflite]
    differing = 0.0
    tflite_model, entry = exported.tflite
    largest, large = entry.largest_input, []
    if largest is not None:
        few = compared[:_LARGE_INPUT_SCENES]
        large = [letterbox_large(scene.pixels, largest)[np.newaxis] for scene in few]
    if exported.onnx is not None:
        models.append(exported.onnx)
        differing = max(
            compute_fraction_differing(tflite_model, exported.onnx[0], inputs)
            for inputs in (squares, *large)
        )
    scores = [score_detector(FaceDetector(*model), compared) for model in models]
    usual = np.stack([letterbox(scene.pixels, entry.input_shape[0]) for scene in compared])
    faults = (
        find_float32_fault(tflite_model, exported.float32, inputs) for inputs in (usual, *large)
    )
    float32_fault = next((fault for fault in faults if fault is not None), None)
    lines = [
        f"{name}: {result}, on {len(compared)} scenes"
        for name, result in zip(("Keras", *TITLES.values()), scores, strict=False)
    ]
    if exported.onnx is not None:
        lines.append(f"TFLite and ONNX: {100 * differing:.4f} % of the output values differ")
    return Verification("\n".join(lines), _find_faults(scores, differing), float32_fault)


def score_detector(detector: Detector, compared: Sequence[Scene]) -> DetectionScore:
    """Computes recall, false alarms and mean box error of a face detector on scenes.

    A face counts as detected if the centre of a box is in the middle half of the face's frame,
    horizontally and vertically. Its error is that of the first such box.

    Args:
        detector: The face detector.
        compared: The scenes.

    Returns:
        The scores.

    Raises:
        ModelError: A network cannot be run.
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
    return DetectionScore(
        len(offsets) / max(faces, 1), alarms / max(empty, 1), sum(offsets) / max(len(offsets), 1)
    )


def _centre_distance(box: Box, frame: Box) -> float:
    """Returns the larger of the two centre distances (x, y) as a fraction of the frame's side."""
    right = abs(box.x + box.width / 2 - frame.x - frame.width / 2)
    down = abs(box.y + box.height / 2 - frame.y - frame.height / 2)
    return max(right, down) / frame.width


def _find_faults(scores: Sequence[DetectionScore], differing: float) -> dict[Format, list[str]]:
    """Returns the reasons not to publish each format; an empty list if it passes."""
    keras, *exports = scores
    found: dict[Format, list[str]] = {name: [] for name in FORMATS}
    for name, result in zip(FORMATS, exports, strict=False):  # ONNX may be missing
        title = TITLES[name]
        # `not <=` also rejects NaN.
        loss = keras.recall - result.recall
        if not loss <= MAX_RECALL_LOSS:
            found[name].append(f"{title}: recall is {100 * loss:.2f} percentage points below Keras")
        alarms = result.false_alarms - keras.false_alarms
        if not alarms <= MAX_EXTRA_FALSE_ALARMS:
            found[name].append(
                f"{title}: false alarms are {100 * alarms:.2f} percentage points above Keras"
            )
        offset = result.offset - keras.offset
        if not offset <= MAX_EXTRA_OFFSET:
            found[name].append(
                f"{title}: mean frame error is {100 * offset:.2f} percentage points above Keras"
            )
    found["onnx"] += find_onnx_faults(differing)
    return found

"""The parameters by which the face output of the gender network decides."""

from __future__ import annotations

from image_gender_classifier.manifest.schema import FaceOutput

# Chosen on WIDER, the pictures without a face and the composites of docs/detection.md#accuracy. The
# slope is lower than in training, because part of the logit is that of the face refiner.
FACE_OUTPUT = FaceOutput(
    slope=1.0,
    detector_slope=1.3,
    bias=0.0,
    lowest=0.12,
    surest=0.58,
    threshold=0.48,
    turned_threshold=0.62,
    sure_logit=1.5,
)

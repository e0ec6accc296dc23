"""Decides about doubtful faces with the face output of the gender network.

The gender network sees each main face anyway, and its features, pretrained on ImageNet and trained
on faces, tell faces from other things better than the small face detector does.
"""

from __future__ import annotations

import numpy as np

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FaceOutput, ModelEntry
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.runtimes import Runtime


class FaceVerifier:
    """Computes how likely a frame shows a face. Thread-safe.

    Args:
        runtime: The opened gender network.
        entry: Its manifest entry.
        output: The entry's `face_output`.

    Attributes:
        output: See Args.
        cache_key: The hash and values that affect predictions; part of the `run` hash.
    """

    def __init__(self, runtime: Runtime, entry: ModelEntry, output: FaceOutput) -> None:
        self.output = output
        self.cache_key = (entry.sha256, *output)
        self._runtime = runtime
        self._file = entry.file
        self._size = entry.input_shape[0]

    def compute_logit(
        self, picture: Picture, frame: Box, detector_logit: float, turn: Turn = 0
    ) -> float:
        """Returns the logit of the probability that a frame shows a face.

        Decodes the picture again if the frame is smaller than the network's input.

        Args:
            picture: The picture.
            frame: The classifier's frame, in pixels of the original.
            detector_logit: Logit of the face detector.
            turn: Degrees by which the crop is turned clockwise.

        Raises:
            ModelError: The runtime cannot run the network, or its face output is not two finite
                numbers.
            RuntimeMissing: See `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        if frame.width < self._size * picture.scale:
            picture = picture.finer()
        in_pixels = geometry.scale_box(frame, 1 / picture.scale)
        crop = turn_pixels(geometry.cut_crop(picture.pixels, in_pixels, self._size), turn)
        outputs = {output.shape[-1]: output for output in self._runtime.run(crop[np.newaxis])}
        if 2 not in outputs or outputs[2].size != 2 or not np.isfinite(outputs[2]).all():
            raise ModelError(
                f"{self._file}: the face output is not two finite numbers per crop; reinstall the "
                "package"
            )
        other, face = outputs[2].ravel().tolist()
        slope, detector_slope, bias, *_ = self.output
        return slope * (face - other) + detector_slope * detector_logit + bias

"""Scores candidates of the face detector, and corrects their frames, with a network of its own.

The network sees one candidate at a time, at half the resolution of the face detector and for a
quarter of its time, as the second stage ("R-Net") of Zhang et al., "Joint Face Detection and
Alignment Using Multitask Cascaded Convolutional Networks" (2016).
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.geometry import Framing, scale_box
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.detection.tiling import MIN_TILE_SIDE
from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceRefinerEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.runtimes.networks import require_square_input


class FaceRefiner:
    """Scores candidates and corrects their frames. Thread-safe.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.

    Attributes:
        entry: See Args.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(self, runtime: Runtime, entry: FaceRefinerEntry) -> None:
        self.entry = entry
        self._runtime = runtime
        self._size = require_square_input(runtime, entry)
        self._view = Framing(entry.margin, shift_y=0.0)

    def warm_up(self) -> None:
        """Runs the network once, to fail early on a broken model.

        Raises:
            ModelError, RuntimeMissing: See `refine`.
        """
        self._run(np.zeros((self._size, self._size, 3), np.uint8))

    def refine(self, picture: Picture, candidate: Detection) -> Detection:
        """Scores a candidate and corrects its frame.

        Decodes the picture again if the candidate is small.

        Args:
            picture: The picture.
            candidate: The candidate, frame in pixels of the original.

        Returns:
            The candidate with the corrected frame, in pixels of the original; its logit is that of
            the network plus a part of the candidate's (`FaceRefinerEntry.candidate_weight`).

        Raises:
            ModelError: The runtime cannot run the network, or the outputs have another shape than
                those of a face refiner or are not finite.
            RuntimeMissing: See `Runtime.run`.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        square = geometry.map_to_frame(candidate.frame, self._view)
        if square.width < MIN_TILE_SIDE * self._size * picture.scale:
            picture = picture.finer()
        crop = geometry.cut_crop(picture.pixels, scale_box(square, 1 / picture.scale), self._size)
        logit, right, down, log_side = self._run(turn_pixels(crop, candidate.turn))
        return candidate._replace(
            frame=geometry.correct_frame(candidate.frame, right, down, log_side, candidate.turn),
            logit=logit + self.entry.candidate_weight * candidate.logit,
        )

    def _run(self, view: Pixels) -> list[float]:
        """Returns the logit and the three numbers of the correction for a view."""
        outputs = {output.shape: output for output in self._runtime.run(view[np.newaxis])}
        if outputs.keys() != {(1, 1), (1, 3)}:
            raise ModelError(
                f"{self.entry.file}: the outputs are not those of a face refiner; reinstall the "
                "package"
            )
        values = [*outputs[1, 1][0].tolist(), *outputs[1, 3][0].tolist()]
        if not all(map(isfinite, values)):
            raise ModelError(
                f"{self.entry.file}: the outputs are not finite, so the file is corrupt; "
                "reinstall the package"
            )
        return values

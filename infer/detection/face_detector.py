"""The face finder: a small network that tells where faces' centres are, and their frames.

Maps of centres and sizes as in Zhou et al., "Objects as Points" (2019): no anchors, and a peak is
a face. Whatever may be one in a look at much of the picture gets looks of its own, at sizes that
the network knows best: together they tell faces from what resembles them, and place their frames,
better than the first can. It is the idea of the stages in Zhang et al., "Joint Face Detection and
Alignment Using Multitask Cascaded Convolutional Networks" (2016), with one network for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, inf, log
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.heatmap import (
    DECODING,
    STRIDE,
    Found,
    decode,
    letterbox,
    squares,
    suppress_overlaps,
    window,
)
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box, Face
from image_gender_classifier.runtimes import Runtime

_CLOSER, _CLOSEST = 0.6, 0.3  # sides of closer looks, as shares of the picture's longest side
_LEAST_PIXELS = 0.75  # of the input's side: enlarging fewer pixels further shows nothing more
_SUSPECT, _CONFIRMED = 0.75, 0.9  # a face may be measured so much smaller than it is
# The looks at one face: their sides over its frame's, and whether the picture is mirrored for it.
_LOOKS = ((1.3, False), (1.5, False), (1.3, True))
_FURTHEST = 0.3  # of a frame's side: how far such a look may move it
_DENIED = -2.0  # the logit at which a single look decides that there is no face
# How far from the threshold the mean of the looks so far decides. Of 6,157 suspicions on held-out
# scenes and portraits the rest turned none that was further from it than 0.32.
_DECIDED = 0.7
_MOST = 8  # faces in one round of looks that get looks of their own
_SEARCH = (
    *(_CLOSER, _CLOSEST, _LEAST_PIXELS, _SUSPECT, _CONFIRMED, _LOOKS, _FURTHEST),
    *(_DENIED, _DECIDED, _MOST, *DECODING, *geometry.CACHE_KEY),
)


class FaceDetector:
    """A face finder's network with its manifest entry.

    Args:
        runtime: The network.
        entry: Its manifest entry.
        smallest_face: Smallest face to look for, as a share of a picture's shorter side; by
            default what a look at the whole picture shows.

    Raises:
        ModelError: The network is not what its entry says.
    """

    def __init__(
        self, runtime: Runtime, entry: FaceDetectorEntry, smallest_face: float | None = None
    ) -> None:
        size = entry.input_shape[0]
        form = (runtime.input_shape, runtime.input_dtype, entry.input_shape, entry.colour_order)
        if form != ((size, size, 3), "uint8", (size, size, 3), "RGB"):
            raise ModelError(
                f"{entry.file}: takes {runtime.input_dtype} {runtime.input_shape}, but is given "
                f"square uint8 RGB pictures as its manifest says; install the package again"
            )
        self._framing = Framing(entry.frame_scale, shift_y=0.0)
        self.framings = {entry.detector: Framing(scale=1.0, shift_y=0.0)}
        self.cache_key = (*entry.cache_key, smallest_face, _SEARCH)
        self._entry = entry
        self._candidate_threshold, self._threshold = map(
            _logit, (entry.candidate_threshold, entry.threshold)
        )
        self._size = size
        self._smallest = smallest_face
        self._runtime = runtime

    def warm_up(self) -> None:
        """Runs the network once, so that a broken one is told before the first picture.

        Raises:
            ModelError: The network cannot be run or gives other maps than a face finder's.
        """
        self._maps(np.zeros((self._size, self._size, 3), np.uint8))

    def detect(
        self, picture: Picture, known: Sequence[Box] = (), every: bool = False
    ) -> list[Face]:
        """Finds the faces in a picture: those that a look at the whole of it shows, else closer.

        Args:
            picture: Where to search.
            known: Frames of faces that are found already, in pixels of the original. They are not
                found again, and with any of them there is no need to look closer.
            every: Look closer in any case, if faces of the chosen size need it.

        Returns:
            Faces, unjudged, boxes (the classifier's frames) in pixels of the original.

        Raises:
            ModelError: The network cannot be run.
            UnreadablePicture: The picture cannot be decoded again.
        """
        if self._smallest is not None:
            picture = picture.finer()
        height, width = picture.pixels.shape[:2]
        least = (self._smallest or 0) * min(picture.height, picture.width)
        found: list[Found] = []
        for side in self._sides(height, width):
            frames = [*known, *(face.frame for face in found)]
            seen = self._seen(picture, squares(height, width, side), self._candidate_threshold)
            likely = [
                face.frame
                for face in suppress_overlaps(seen, frames)
                if face.frame.width >= _SUSPECT * least
            ]
            chosen = likely if every else likely[:_MOST]
            looked_at = self._looked_at(picture, chosen, _LOOKS)
            found += suppress_overlaps(
                (face for face in looked_at if face.frame.width >= _CONFIRMED * least), frames
            )
            if (found or known) and not every:
                break
        return self._faces(found, self._entry.detector)

    def confirm(self, picture: Picture, frames: Iterable[Box], stage: str) -> list[Face]:
        """Looks at faces that another detector found, once each.

        Args:
            picture: Where they were found.
            frames: The classifier's frames around them, in pixels of the original.
            stage: What found them.

        Returns:
            Those that are faces, unjudged, by falling score, with better frames for boxes.

        Raises:
            ModelError: The network cannot be run.
            UnreadablePicture: The picture cannot be decoded again.
        """
        found = suppress_overlaps(self._looked_at(picture, frames, _LOOKS[:1]))
        return self._faces(found, stage)

    def _faces(self, found: Iterable[Found], stage: str) -> list[Face]:
        return [Face(geometry.frame(face.frame, self._framing), stage) for face in found]

    def _sides(self, height: int, width: int) -> Iterator[int]:
        """Gives the sides of the squares to look at, a round each, until the first finds a face.

        A square is no larger than the picture's shorter side in all rounds but the first, unless
        the picture is so long that they would be too many; nor is it smaller than shows more.
        """
        side, shorter = max(height, width), min(height, width)
        yield side
        if self._smallest is None:
            return
        closer = max(min(ceil(_CLOSER * side), shorter), ceil(_CLOSEST * side))
        enough = ceil(self._smallest * shorter / self._entry.smallest_face)
        enough = max(enough, ceil(_LEAST_PIXELS * self._size))
        while side > enough:
            # Rounding up alone would leave a side of two pixels at two for ever.
            side = max(min(closer, ceil(_CLOSER * side), side - 1), enough)
            yield side

    def _looked_at(
        self, picture: Picture, frames: Iterable[Box], looks: Sequence[tuple[float, bool]]
    ) -> Iterator[Found]:
        """Looks at what may be faces one by one; gives those that are, by the mean of the looks.

        None of them may deny it, and there are no more than decide. Frames are the mean of those
        that are not mirrored: how the classifier's frames lie around heads that look aside is not
        alike for left and right.
        """
        placing = sum(not mirrored for _, mirrored in looks)
        for frame in frames:
            reported: list[Box] = []
            logits: list[float] = []
            for margin, mirrored in looks:
                face = self._look_at(picture, frame, margin, mirrored)
                logits.append(face.logit)
                if not mirrored:
                    reported.append(face.frame)
                over = sum(logits) / len(logits) - self._threshold
                if face.logit <= _DENIED or over <= -_DECIDED:
                    break
                if over >= _DECIDED and len(reported) == placing:
                    break
            if over >= 0 and min(logits) > _DENIED:
                yield Found(_mean(reported), sum(logits) / len(logits))

    def _look_at(self, picture: Picture, frame: Box, margin: float, mirrored: bool) -> Found:
        """Looks at one face, in finer pixels where the picture has too few for the network."""
        if margin * frame.width < _LEAST_PIXELS * self._size * picture.scale:
            picture = picture.finer()
        within = _scaled(frame, 1 / picture.scale)
        look = window(within, margin, *picture.pixels.shape[:2])
        seen = self._seen(picture, [look], _DENIED, mirrored)
        return next((face for face in seen if _stays(face.frame, frame)), Found(frame, _DENIED))

    def _seen(
        self,
        picture: Picture,
        looks: Iterable[tuple[int, int, int]],
        least: float,
        mirrored: bool = False,
    ) -> Iterator[Found]:
        """Looks at squares of a picture (left, top, side in its pixels; may reach beyond it).

        Frames of what is seen are in pixels of the original.
        """
        pixels = picture.pixels
        for left, top, side in looks:
            part = pixels[top : top + side, left : left + side]
            heat, boxes = self._maps(letterbox(_flipped(part) if mirrored else part, self._size))
            height, width = part.shape[:2]
            scale = max(height, width) / self._size
            for face in decode(heat, boxes, least):
                frame = _scaled(face.frame, scale)
                x = width - frame.x - frame.width if mirrored else frame.x
                placed = Box(left + x, top + frame.y, frame.width, frame.height)
                yield Found(_scaled(placed, picture.scale), face.logit)

    def _maps(self, square: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Runs the network; gives heat (G x G) and boxes (G x G x 3)."""
        cells = self._size // STRIDE
        maps = {output.shape[-1]: output for output in self._runtime.run(square[np.newaxis])}
        shapes = {channels: output.shape for channels, output in maps.items()}
        if shapes != {channels: (1, cells, cells, channels) for channels in (1, 3)}:
            raise ModelError(f"{self._entry.file}: gives other maps than a face finder's")
        if not all(np.isfinite(output).all() for output in maps.values()):
            raise ModelError(f"{self._entry.file}: its maps are not numbers; it is damaged")
        return maps[1][0, ..., 0], maps[3][0]


def _flipped(pixels: Pixels) -> Pixels:
    return cast(Pixels, cv2.flip(pixels, 1))


def _logit(probability: float) -> float:
    if not 0 < probability < 1:
        return -inf if probability <= 0 else inf
    return log(probability / (1 - probability))


def _scaled(box: Box, scale: float) -> Box:
    return Box(scale * box.x, scale * box.y, scale * box.width, scale * box.height)


def _mean(frames: Sequence[Box]) -> Box:
    x, y, width, height = (sum(values) / len(frames) for values in zip(*frames, strict=True))
    return Box(x, y, width, height)


def _stays(frame: Box, before: Box) -> bool:
    """Tells whether a second look has found the face that it was for."""
    across = abs(frame.x + frame.width / 2 - before.x - before.width / 2)
    down = abs(frame.y + frame.height / 2 - before.y - before.height / 2)
    return max(across, down) <= _FURTHEST * before.width

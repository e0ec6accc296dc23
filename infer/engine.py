"""Reads, decodes and classifies one picture, for the Python API and the worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier import pipeline
from image_gender_classifier.errors import (
    DecoderMissing,
    GenderClassifierError,
    InternalError,
    Unfinished,
    UnreadablePicture,
    format_exception,
)
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.files import OUT_OF_MEMORY, read_bytes
from image_gender_classifier.imaging.memory_errors import is_out_of_memory
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.versions import unreadable_key
from image_gender_classifier.loading import Parts, open_parts
from image_gender_classifier.manifest.cache_key import make_unreadable_prediction, run_hash
from image_gender_classifier.results import Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.system.profiling import OFF, Clock

View = Callable[[int], Picture]
"""Returns the picture with at least a number of pixels on its longest side, if it has so many."""

Show = Callable[[View, Prediction], None]
"""Callback that receives a view of a picture and its prediction, to draw an annotated copy."""

_MODELS_OUT_OF_MEMORY = (
    "not enough memory for the models; free some memory, raise the limit on it, or use fewer"
    " --workers"
)
_NEVER_KEPT = ""  # used as a cache key that no run has


class Engine:
    """Classifies pictures. Thread-safe.

    All `classify_...` methods convert exceptions: `UnreadablePicture` to a prediction with the
    status `unreadable`, a lack of memory to `Unfinished`, and any other that is not a
    `GenderClassifierError` to `InternalError`.

    Args:
        parts: The opened classifier and face detector.

    Attributes:
        parts: See Args.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @classmethod
    def open(cls, settings: Settings) -> Engine:
        """Opens the classifier and the face detector.

        Raises:
            Unfinished: There is not enough memory.
            GenderClassifierError: See `loading.open_parts`.
        """
        try:
            return cls(open_parts(settings))
        except MemoryError:
            raise Unfinished(_MODELS_OUT_OF_MEMORY) from None

    @property
    def cache_key(self) -> str:
        """A hash of everything except the picture that affects a prediction."""
        return self.parts.cache_key

    def classify_file(
        self, path: str | os.PathLike[str], file: str, show: Show | None = None, clock: Clock = OFF
    ) -> Prediction:
        """Classifies a picture file.

        Args:
            path: The file.
            file: Name of the picture in the prediction.
            show: Called with a view of the decoded picture and its prediction, without `run`. Not
                called for an unreadable picture.
            clock: Measures the stages.

        Returns:
            The prediction, with its `run`; `unreadable` also if the file does not exist.

        Raises:
            ModelError, RuntimeMissing: A model cannot be parsed or run.
            Unfinished: There is not enough memory, or the file cannot be read at present.
            InternalError: A bug in this package.
        """
        try:
            data = read_bytes(path, self.parts.limits)
        except UnreadablePicture as error:
            return make_unreadable_prediction(file, str(error), self.cache_key)
        finally:
            clock.lap("read the file")
        return self.classify_bytes(data, file, show, clock)

    def classify_bytes(
        self, data: bytes, file: str, show: Show | None = None, clock: Clock = OFF
    ) -> Prediction:
        """Classifies the content of a picture file.

        Args:
            data: The content.
            file: Name of the picture in the prediction.
            show: See `classify_file`.
            clock: Measures the stages.

        Result and exceptions are those of `classify_file`.
        """
        run = run_hash(data, self.cache_key)
        clock.lap("hash it")
        limits = self.parts.limits
        try:
            return self._classify_decoded(
                lambda side=None: decoding.decode(data, side, limits),
                file,
                lambda: run,
                show,
                clock,
            )
        except UnreadablePicture as error:
            clock.lap("decode it")
            # If a decoder is missing or broken, `--resume` must try again: a repaired package may
            # have the same version. Therefore the `run` of this prediction matches no other.
            key = _NEVER_KEPT if isinstance(error, DecoderMissing) else self.cache_key
            run = run_hash(data, unreadable_key(key))
            return Prediction(file, "unreadable", "unknown", run=run, message=str(error))

    def classify_array(self, pixels: NDArray[np.uint8], file: str) -> Prediction:
        """Classifies an array of pixels.

        Args:
            pixels: uint8, H x W or H x W x 1 (grey), H x W x 3 (RGB) or H x W x 4 (RGBA).
            file: Name of the picture in the prediction.

        Returns:
            The prediction, with its `run`; never `unreadable`.

        Raises:
            UsageError: The array has another dtype or shape, or no pixels.
            ModelError, RuntimeMissing, Unfinished, InternalError: See `classify_file`.
        """
        return self._classify_decoded(
            lambda _=None: decoding.from_array(pixels),
            file,
            lambda: _hash_pixels(pixels, self.cache_key),
        )

    def _classify_decoded(
        self,
        decode: Callable[..., Picture],
        file: str,
        find_run: Callable[[], str],
        show: Show | None = None,
        clock: Clock = OFF,
    ) -> Prediction:
        """Calls `decode` and classifies the picture that it returns; then calls `find_run`.

        Raises:
            UnreadablePicture: The picture cannot be decoded.
            GenderClassifierError: See `classify_file`.
        """
        parts = self.parts
        try:
            picture = decode()
            clock.lap("decode it")
            prediction = pipeline.classify(
                picture, file, parts.detector, parts.classifier, parts.all_faces, clock
            )
            if show is not None:
                show(partial(_view, picture, decode), prediction)
                clock.lap("draw")
            # Faster than `dataclasses.replace`.
            return Prediction(**{**vars(prediction), "run": find_run()})
        except GenderClassifierError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise Unfinished(OUT_OF_MEMORY) from None
            raise InternalError(f"{file or 'a picture'}: {format_exception(error)}") from error


def _hash_pixels(pixels: NDArray[np.uint8], settings: str) -> str:
    """Returns the `run` of an array of pixels, without a copy if the array is C-contiguous."""
    flat = np.ascontiguousarray(pixels).reshape(-1)
    return run_hash(flat.data, settings, prefix=repr(pixels.shape).encode())


def _view(picture: Picture, decode: Callable[..., Picture], side: int) -> Picture:
    if side <= max(picture.pixels.shape[:2]):
        return picture
    return picture.finer() if side <= decoding.WORKING_SIDE else decode(side)

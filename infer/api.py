"""The three lines for Python users: load, judge a picture, judge a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from image_gender_classifier import pipeline
from image_gender_classifier.errors import GenderClassifierError, UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import Parts, open_parts
from image_gender_classifier.manifest.cache_key import run_hash, unreadable
from image_gender_classifier.results import Prediction
from image_gender_classifier.settings import MAX_BYTES, DetectorChoice, RuntimeChoice, Settings
from image_gender_classifier.system.cores import cores
from image_gender_classifier.system.profiling import OFF, Clock

Show = Callable[[Picture, Prediction], None]
"""What is done with a picture's pixels and the verdict on them."""


def load(  # noqa: PLR0913  the choices, one by one
    model: str | os.PathLike[str] | None = None,
    runtime: RuntimeChoice = "auto",
    detector: DetectorChoice = "cascade",
    threshold: float | None = None,
    min_face: float | None = None,
    all_faces: bool = False,
    *,
    max_pixels: int | None = None,
    max_bytes: int = MAX_BYTES,
) -> GenderClassifier:
    """Loads a classifier.

    Args:
        model: A model file beside its manifest; the shipped one by default.
        runtime: Which runtime runs it; `auto` takes LiteRT, or ONNX Runtime without it.
        detector: `cascade` searches each picture for a face, `lbp` with the first stage alone;
            `none` takes each picture as a face crop.
        threshold: Confidence below which a verdict is `uncertain`; the manifest's by default.
        min_face: The smallest face to look for, as a share of a picture's shorter side (0.02 to 1);
            by default what one look at the picture shows. Smaller ones are left out.
        all_faces: Search for every face and judge them all, not only the main one.
        max_pixels: Most pixels of a picture, width times height; by default 2^28 of a JPEG that can
            be decoded straight to a reduced size, 2^26 of any other picture.
        max_bytes: Most bytes of a file.

    Raises:
        ModelError: A model, cascade or manifest is missing, damaged or of another contract.
        RuntimeMissing: No usable runtime is installed.
        UsageError: Choices that don't fit each other, or a number out of its range.
    """
    path = None if model is None else os.fspath(model)
    chosen = Settings(path, runtime, detector, threshold, min_face, all_faces)
    return of_choices(chosen._replace(max_pixels=max_pixels, max_bytes=max_bytes))


def of_choices(choices: Settings) -> GenderClassifier:
    """Loads a classifier; see `load`."""
    return GenderClassifier(open_parts(choices))


class GenderClassifier:
    """Judges pictures. One classifier serves any number of threads at once."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def classify(
        self, picture: str | os.PathLike[str] | bytes | npt.NDArray[np.uint8], file: str = ""
    ) -> Prediction:
        """Judges one picture.

        Args:
            picture: A path, the bytes of a picture file, or pixels: uint8, H x W (grey),
                H x W x 3 (RGB) or H x W x 4 (RGBA).
            file: What the verdict calls the picture; a path's own name by default.

        Returns:
            The verdict; a picture that cannot be read has the status `unreadable`.
        """
        if isinstance(picture, np.ndarray):
            data = repr(picture.shape).encode() + picture.tobytes()
            return self._prediction(lambda: decoding.from_array(picture), file, self.run_of(data))
        if isinstance(picture, bytes):
            return self._prediction(lambda: self._decode(picture), file, self.run_of(picture))
        path = Path(picture)
        return self.classify_file(path, file or path.name)

    def classify_file(
        self, path: Path, file: str, show: Show | None = None, clock: Clock = OFF
    ) -> Prediction:
        """Judges a picture file.

        Args:
            path: The file.
            file: What the verdict calls it.
            show: Is given the pixels with the verdict on them, if they could be read.
            clock: Measures the stages.
        """
        try:
            data = read_bytes(path, self._parts.limits)
        except UnreadablePicture as error:
            return unreadable(file, str(error), self.settings)
        finally:
            clock.lap("read the file")
        run = self.run_of(data)
        clock.lap("hash it")
        return self._prediction(lambda: self._decode(data), file, run, show, clock)

    def classify_folder(
        self,
        folder: str | os.PathLike[str],
        recursive: bool = False,
        workers: int | None = None,
    ) -> Iterator[Prediction]:
        """Judges every picture of a folder, in byte order of their names.

        Args:
            folder: The folder.
            recursive: Judge the folders below it too.
            workers: Threads; one a core by default.

        Raises:
            UsageError: The folder cannot be read.
        """
        # Late: the command's worker does without.
        from image_gender_classifier import batch
        from image_gender_classifier.scan import list_pictures

        root = Path(folder)
        listing = list_pictures(root, recursive)
        threads = max(min(workers or cores(), listing.total), 1)
        return batch.run(listing.files, root, self.classify, threads)

    @property
    def settings(self) -> str:
        """Key of everything but the picture that a verdict depends on."""
        return self._parts.settings

    def run_of(self, data: bytes) -> str:
        """The `run` attribute that a picture of these bytes gets."""
        return run_hash(data, self.settings)

    def _decode(self, data: bytes) -> Picture:
        return decoding.decode(data, limits=self._parts.limits)

    def _prediction(
        self,
        decode: Callable[[], Picture],
        file: str,
        run: str,
        show: Show | None = None,
        clock: Clock = OFF,
    ) -> Prediction:
        parts = self._parts
        try:
            picture = decode()
            clock.lap("decode it")
            prediction = pipeline.classify(
                picture, file, parts.detector, parts.classifier, parts.all_faces, clock
            )
            if show is not None:
                show(picture.finer(), prediction)
                clock.lap("draw")
        except UnreadablePicture as error:
            clock.lap("decode it")
            prediction = Prediction(file, "unreadable", "unknown", message=str(error))
        except GenderClassifierError:
            raise
        except Exception as error:  # whatever one strange picture breaks, the others go on
            message = f"the picture cannot be judged ({type(error).__name__}: {error})"
            prediction = Prediction(file, "unreadable", "unknown", message=message)
        return prediction._replace(run=run)

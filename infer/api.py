"""The three lines for Python users: load, judge a picture, judge a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from image_gender_classifier.engine import Engine
from image_gender_classifier.results import Prediction
from image_gender_classifier.settings import MAX_BYTES, DetectorChoice, RuntimeChoice, Settings
from image_gender_classifier.system.cores import cores


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
    return GenderClassifier(Engine.open(choices))


class GenderClassifier:
    """Classifies pictures; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def classify(
        self, picture: str | os.PathLike[str] | bytes | npt.NDArray[np.uint8], file: str = ""
    ) -> Prediction:
        """Classifies one picture."""
        if isinstance(picture, np.ndarray):
            return self._engine.classify_array(picture, file)
        if isinstance(picture, bytes):
            return self._engine.classify_bytes(picture, file)
        path = Path(picture)
        return self._engine.classify_file(path, file or path.name)

    def classify_folder(
        self,
        folder: str | os.PathLike[str],
        recursive: bool = False,
        workers: int | None = None,
    ) -> Iterator[Prediction]:
        """Classifies every picture of a folder, in byte order of their names."""
        from image_gender_classifier import batch
        from image_gender_classifier.scan import list_pictures

        root = Path(folder)
        listing = list_pictures(root, recursive)
        threads = max(min(workers or cores(), listing.total), 1)
        return batch.run(listing.files, root, self.classify, threads)

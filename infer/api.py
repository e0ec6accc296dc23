"""The Python API: opens a classifier; classifies a picture, many pictures or a folder."""

from __future__ import annotations

import logging
import operator
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.engine import Engine
from image_gender_classifier.errors import (
    FolderSkipped,
    InternalError,
    PictureNotFound,
    PictureSkipped,
    UsageError,
)
from image_gender_classifier.results import Prediction
from image_gender_classifier.setting_checks import convert_model_path
from image_gender_classifier.settings import MAX_BYTES, DetectorChoice, RuntimeChoice, Settings
from image_gender_classifier.system.cores import count_cores, default_workers

if TYPE_CHECKING:
    from image_gender_classifier.listing import Listing

Picture = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | NDArray[np.uint8]
"""The types that `classify` accepts, besides PIL images."""

# The host program decides what is logged. The command prints its messages itself.
logging.getLogger("image_gender_classifier").addHandler(logging.NullHandler())

_PICTURES_AHEAD = 4  # maximum number of pictures per thread that classify_many submits at a time


def load(  # noqa: PLR0913  one argument for each setting
    model: str | os.PathLike[str] | None = None,
    runtime: RuntimeChoice = "auto",
    detector: DetectorChoice = "network",
    threshold: float | None = None,
    min_face: float | None = None,
    all_faces: bool = False,
    *,
    max_pixels: int | None = None,
    max_bytes: int = MAX_BYTES,
) -> GenderClassifier:
    """Opens a model and returns a classifier for it.

    Args:
        model: Path of a model file, in the same folder as its manifest. None for the shipped model.
        runtime: `tflite` (LiteRT or tflite-runtime), `onnx` (ONNX Runtime), or `auto`: the first of
            these that can be loaded and runs the format of the model.
        detector: `network` detects faces with the face detector network, `lbp` with an LBP cascade
            (large frontal faces), `cascade` with both; `none` takes each picture as a face crop.
        threshold: Confidence (0 to 1) below which a prediction is `uncertain`. None for the
            threshold in the manifest.
        min_face: Side of the smallest face to detect, as a fraction of the picture's shorter side
            (0.02 to 1). None detects faces from about 6 % of the longer side.
        all_faces: Whether to detect and classify all faces, not only the main one.
        max_pixels: Maximum width times height of a picture. None for 2^28 if it is a JPEG that can
            be decoded at a reduced size, else 2^26. Pixels that need more memory than 8-bit RGB
            pixels, such as those of JPEG 2000, count several times.
        max_bytes: Maximum size of a picture file in bytes.

    Warns:
        RuntimeFallback: `auto` uses another runtime, because the preferred one cannot be loaded.

    Raises:
        ModelError: A model, cascade or manifest is missing, corrupt or of an unknown version.
        RuntimeMissing: No usable runtime is installed.
        Unfinished: There is not enough memory.
        UsageError: An argument has a wrong type, is unknown or out of range, the format of the
            model is unknown, or two arguments exclude each other.
    """
    path = convert_model_path(model)
    settings = Settings(path, runtime, detector, threshold, min_face, all_faces)
    return GenderClassifier(settings._replace(max_pixels=max_pixels, max_bytes=max_bytes))


class GenderClassifier:
    """Classifies pictures. Thread-safe; create it with `load`.

    It also works in processes that are forked later. It cannot be pickled: processes that are
    started otherwise call `load` themselves.

    A context manager that closes the classifier: `with igc.load() as classifier`.

    Args:
        settings: The arguments of `load`.

    Raises:
        GenderClassifierError: See `load`.
    """

    def __init__(self, settings: Settings) -> None:
        self._engine: Engine | None = Engine.open(settings)
        self._settings = self._engine.parts.settings

    def classify(self, picture: Picture | Any, file: str = "") -> Prediction:
        """Classifies one picture.

        Args:
            picture: A path, the content of a picture file, an open binary file, a PIL image, or
                pixels: uint8, H x W or H x W x 1 (grey), H x W x 3 (RGB) or H x W x 4 (RGBA).
            file: Name of the picture in the prediction; by default the file name of a path, else
                empty.

        Returns:
            The prediction; its status is `unreadable` if the picture cannot be read or decoded.

        Raises:
            PictureNotFound: The path does not exist.
            UsageError: The type, dtype, shape or PIL mode of `picture` is not supported, the file
                is asynchronous or open in text mode, or the classifier is closed.
            ModelError, RuntimeMissing: A model cannot be parsed or run.
            Unfinished: There is not enough memory, or the file cannot be read at present.
            InternalError: A bug in this package.
            Exception: Any exception that the open file raises on reading, or Pillow on loading the
                PIL image.
        """
        engine = self._require_engine()
        if isinstance(picture, (str, os.PathLike)):
            given, path = os.fspath(picture), Path(picture)
            if not given or not os.path.lexists(path):  # Path("") is the current folder
                raise PictureNotFound(f"{given!r}: no such file; check the path")
            return engine.classify_file(path, file or path.name)
        if isinstance(picture, np.ndarray):
            return engine.classify_array(picture, file)
        if isinstance(picture, (bytes, bytearray, memoryview)):
            return engine.classify_bytes(bytes(picture), file)
        if _is_pil_image(picture):
            from image_gender_classifier.imaging.pil_images import read_pil_image

            return engine.classify_array(read_pil_image(picture), file)
        if hasattr(picture, "read"):
            return engine.classify_bytes(_read_binary_file(picture), file)
        kind = type(picture).__name__
        raise UsageError(
            f"{kind} is not a picture; pass a path, bytes, a file, a PIL image or an array"
        )

    def classify_many(
        self, pictures: Iterable[Picture | Any], threads: int | None = None
    ) -> Generator[Prediction, None, None]:
        """Classifies pictures in several threads, lazily.

        Args:
            pictures: Pictures of the types that `classify` accepts, read a few ahead. For a path
                that does not exist, the prediction is `unreadable`.
            threads: Number of threads; None for one per core.

        Returns:
            A generator of one prediction per picture, in order.

        Raises:
            ValueError: `threads` is not a whole number, or less than 1.
            UsageError: `pictures` is a single picture. While iterating: an item is not a picture,
                or the classifier is closed.
            Exception: While iterating: any other exception that `classify` or the iterable
                `pictures` raises.
        """
        if _is_single_picture(pictures):
            raise UsageError("classify_many takes several pictures; pass a list, or call classify")
        return self._classify_many(pictures, _check_count("threads", threads, count_cores))

    def _classify_many(
        self, pictures: Iterable[Picture | Any], threads: int
    ) -> Generator[Prediction, None, None]:
        """Yields the predictions of `classify_many`; cancels pending pictures when closed."""
        waiting: deque[Future[Prediction]] = deque()
        pool = ThreadPoolExecutor(threads)
        try:
            for picture in pictures:
                waiting.append(pool.submit(self._classify_one_of_many, picture))
                if len(waiting) >= threads * _PICTURES_AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def classify_folder(
        self,
        folder: str | os.PathLike[str],
        recursive: bool = False,
        workers: int | None = None,
        *,
        hidden: bool = False,
    ) -> Iterator[Prediction]:
        """Classifies all pictures in a folder, in worker processes, like the command-line tool.

        If a decoder crashes, the prediction of that picture is `unreadable`, and this process goes
        on.

        Args:
            folder: Path of the folder.
            recursive: Whether to include subfolders.
            workers: Number of worker processes; None for one per core, at most 64.
            hidden: Whether to include system junk files and partial downloads, such as `._*`,
                `@eaDir` and `*.part`.

        Returns:
            A lazy iterator over the predictions, sorted by path (bytewise, folder by folder). A
            picture reported with `PictureSkipped` has no prediction.

        Warns:
            FolderSkipped: A subfolder, or a file that may be a picture, cannot be read.
            PictureSkipped: While iterating: a picture timed out or cannot be read at present, its
                worker was killed, or memory was short.

        Raises:
            ValueError: `workers` is not a whole number, or less than 1.
            UsageError: The folder cannot be read, or the classifier is closed.
            RuntimeMissing, ModelError, Unfinished: While iterating: no worker process can load the
                libraries or the model, the last if time or memory is too short.
            InternalError: While iterating: a bug in this package.
        """
        from image_gender_classifier.scan import list_pictures

        workers = _check_count("workers", workers, default_workers)
        self._require_engine()
        root = Path(folder)
        listing = list_pictures(root, recursive, hidden=hidden)
        for unread in listing.unread:
            text = (
                f"{root / unread.path}: the {unread.kind} cannot be read ({unread.reason}); skipped"
            )
            warnings.warn(text, FolderSkipped, stacklevel=2)
        return self._classify_listing(root, listing, max(min(workers, listing.total), 1))

    def close(self) -> None:
        """Releases the model. Later calls of `classify...` raise `UsageError`."""
        self._engine = None

    def __enter__(self) -> GenderClassifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> object:
        """Refuses `pickle` and `copy`, because the open model belongs to this process."""
        raise UsageError("a classifier cannot be pickled or copied; call load in each process")

    def __repr__(self) -> str:
        if self._engine is None:
            return "<GenderClassifier closed>"
        parts = self._engine.parts
        model = self._settings.model or parts.classifier.entry.file
        return (
            f"<GenderClassifier model={model!r} runtime={parts.runtime!r} "
            f"detector={self._settings.detector!r} threshold={parts.classifier.threshold:g}>"
        )

    def _require_engine(self) -> Engine:
        """Returns the engine; raises `UsageError` if the classifier is closed."""
        if self._engine is None:
            raise UsageError("the classifier is closed; load a new one")
        return self._engine

    def _classify_one_of_many(self, picture: Picture | Any) -> Prediction:
        """Classifies a picture like `classify`, but a path that does not exist is `unreadable`."""
        if isinstance(picture, (str, os.PathLike)):
            path = Path(picture)
            return self._require_engine().classify_file(path, path.name)
        return self.classify(picture)

    def _classify_listing(
        self, root: Path, listing: Listing, workers: int
    ) -> Generator[Prediction, None, None]:
        """Yields the predictions of `classify_folder`; ends the worker processes when closed."""
        if listing.total == 0:
            return
        from image_gender_classifier.workers.messages import Task
        from image_gender_classifier.workers.supervisor import Supervisor

        with Supervisor(Task(self._settings, workers), fork=False) as supervisor:
            for outcome in supervisor.classify(listing.pictures, root):
                if outcome.unfinished:
                    skipped = (
                        f"{root / outcome.picture.file}: {outcome.error}; the picture is skipped"
                    )
                    warnings.warn(skipped, PictureSkipped, stacklevel=2)
                elif outcome.prediction is None:
                    raise InternalError(f"{outcome.picture.file}: {outcome.error}")
                else:
                    yield outcome.prediction


def _check_count(name: str, number: int | None, default: Callable[[], int]) -> int:
    """Returns a number of threads or processes.

    Args:
        name: Name of the argument, for the message.
        number: Its value.
        default: Returns the number to use if it is None.

    Raises:
        ValueError: `number` is not a whole number, or less than 1.
    """
    if number is None:
        return default()
    try:
        whole = operator.index(number)
    except TypeError:
        whole = 0
    if whole < 1:
        raise ValueError(f"{name} is {number!r}; give a whole number of at least 1, or None")
    return whole


def _is_single_picture(pictures: object) -> bool:
    """Returns whether an argument of `classify_many` is one picture that could be iterated over."""
    if isinstance(pictures, np.ndarray):
        is_colour = pictures.ndim == 3 and pictures.shape[-1] in (1, 3, 4)
        return pictures.ndim == 2 or is_colour
    kinds = (str, bytes, bytearray, memoryview, os.PathLike)
    return isinstance(pictures, kinds) or hasattr(pictures, "read") or _is_pil_image(pictures)


def _is_pil_image(picture: object) -> bool:
    return isinstance(picture, getattr(sys.modules.get("PIL.Image"), "Image", ()))


def _read_binary_file(file: Any) -> bytes:
    """Reads the rest of an open file; raises `UsageError` if it does not return bytes."""
    data = file.read()
    if hasattr(data, "__await__"):
        if hasattr(data, "close"):  # a coroutine, which would warn that it was never awaited
            data.close()
        raise UsageError("the file is asynchronous; await its content and pass it as bytes")
    if isinstance(data, str):
        raise UsageError("the file is open in text mode; open it in binary mode ('rb')")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise UsageError(f"the file returns {type(data).__name__}, not bytes; open it blocking")
    return bytes(data)

"""Predicts the perceived gender of the person in a picture, on small machines.

    import image_gender_classifier as igc

    classifier = igc.load()
    prediction = classifier.classify("alice.jpg")
    print(prediction.gender, prediction.confidence)

`load` opens a model. `classify` takes a path, bytes, an open binary file, a PIL image or an RGB
array, `classify_many` an iterable of these, and `classify_folder` a folder. They return a
`Prediction` for each picture. A classifier is thread-safe.

The exceptions of this package derive from `GenderClassifierError`:

    GenderClassifierError
    ├── UsageError           an argument is wrong
    │   └── PictureNotFound  a path does not exist (also a FileNotFoundError)
    ├── ModelError           a model file or its manifest is missing, corrupt or incompatible
    ├── RuntimeMissing       no usable inference runtime or OpenCV is installed
    ├── OutputError          the command cannot write its output
    ├── UnreadablePicture    a picture cannot be decoded; becomes the status `unreadable`
    ├── Unfinished           a picture cannot be read at present, or memory is short; try again
    └── InternalError        a bug in this package

`RuntimeFallback`, `FolderSkipped` and `PictureSkipped` are warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_gender_classifier.version import __version__

if TYPE_CHECKING:
    from image_gender_classifier.api import GenderClassifier as GenderClassifier
    from image_gender_classifier.api import load as load
    from image_gender_classifier.errors import FolderSkipped as FolderSkipped
    from image_gender_classifier.errors import GenderClassifierError as GenderClassifierError
    from image_gender_classifier.errors import InternalError as InternalError
    from image_gender_classifier.errors import ModelError as ModelError
    from image_gender_classifier.errors import OutputError as OutputError
    from image_gender_classifier.errors import PictureNotFound as PictureNotFound
    from image_gender_classifier.errors import PictureSkipped as PictureSkipped
    from image_gender_classifier.errors import RuntimeFallback as RuntimeFallback
    from image_gender_classifier.errors import RuntimeMissing as RuntimeMissing
    from image_gender_classifier.errors import Unfinished as Unfinished
    from image_gender_classifier.errors import UnreadablePicture as UnreadablePicture
    from image_gender_classifier.errors import UsageError as UsageError
    from image_gender_classifier.results import Box as Box
    from image_gender_classifier.results import Face as Face
    from image_gender_classifier.results import Gender as Gender
    from image_gender_classifier.results import Prediction as Prediction
    from image_gender_classifier.results import Status as Status

# Public name -> the module that defines it, which is imported on first use of the name.
_MODULES = {
    "load": "api",
    "GenderClassifier": "api",
    "Prediction": "results",
    "Face": "results",
    "Box": "results",
    "Gender": "results",
    "Status": "results",
    "GenderClassifierError": "errors",
    "UsageError": "errors",
    "PictureNotFound": "errors",
    "ModelError": "errors",
    "RuntimeMissing": "errors",
    "OutputError": "errors",
    "UnreadablePicture": "errors",
    "InternalError": "errors",
    "Unfinished": "errors",
    "RuntimeFallback": "errors",
    "FolderSkipped": "errors",
    "PictureSkipped": "errors",
}

__all__ = [*_MODULES, "__version__"]  # noqa: PLE0604  all of them are strings


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _MODULES[name] == "api":
        from image_gender_classifier.imaging import opencv

        opencv.check_opencv()  # explains an unusable OpenCV before `api` imports it
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__

"""Shows the pictures on which two models differ, on a page like that of the review."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_gender_classifier import pipeline
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.imaging import decoding
from image_gender_classifier.outputs.page.data import PageItem, PageSettings
from image_gender_classifier.outputs.page.static import StaticPage
from image_gender_classifier.review.previews import draw_all
from image_gender_classifier.system.cores import count_cores
from image_gender_classifier.train.datasets.sample import Sample


@dataclass(frozen=True, slots=True)
class DifferingPicture:
    """A picture on which two models differ.

    Attributes:
        sample: The labelled picture.
        old: Prediction and confidence of the first model, as text.
        new: Those of the second one.
    """

    sample: Sample
    old: str
    new: str

    def describe(self, old: str, new: str) -> str:
        """Returns the label and both predictions as lines of text.

        Args:
            old: Name of the first model.
            new: Name of the second model.
        """
        return f"label: {self.sample.gender}\n{old}: {self.old}\n{new}: {self.new}\n"


def write_differences_page(
    path: Path,
    data: Path,
    pictures: Sequence[DifferingPicture],
    detector: Detector,
    models: tuple[str, Classifier, str],
) -> None:
    """Writes the page and its folder.

    Each picture shows the prediction of the first model; the text beside it has the label and both
    predictions.

    Args:
        path: The HTML file.
        data: Folder of the pictures.
        pictures: The pictures.
        detector: Detects the faces.
        models: Name of the first model, the first model, and the name of the second one.

    Raises:
        OutputError: A file cannot be written.
        RuntimeMissing: No worker process for the thumbnails can be started.
    """
    name, classifier, other = models
    files = {
        os.path.relpath(each.sample.path, data).replace(os.sep, "/"): each for each in pictures
    }
    ordered = sorted(files, key=os.fsencode)
    page = StaticPage(path)
    previews = draw_all(data, ordered, count_cores()) if ordered else ()
    for file, preview in zip(ordered, previews, strict=True):
        each = files[file]
        prediction = pipeline.classify(decoding.read(each.sample.path), file, detector, classifier)
        item = PageItem(prediction, preview.width, preview.height, preview.picture, preview.message)
        page.add(item, each.describe(name, other), preview.jpeg or None)
    title = f"{len(pictures):,} pictures on which {name} and {other} differ"
    page.close(PageSettings(title, editing=False), {})

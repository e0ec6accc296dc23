"""Shows pictures whose label or prediction should be checked, on a page like that of the review."""

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
    """A picture on which two models differ, or a model and the label.

    Attributes:
        sample: The labelled picture.
        text: The label and the predictions, as lines of text.
    """

    sample: Sample
    text: str


def write_differences_page(
    path: Path,
    title: str,
    data: Path,
    pictures: Sequence[DifferingPicture],
    detector: Detector,
    classifier: Classifier,
) -> None:
    """Writes the page and its folder; it shows the predictions of one model, and the texts.

    Args:
        path: The HTML file.
        title: Heading of the page.
        data: Folder of the pictures.
        pictures: The pictures, all readable.
        detector: Detects the faces.
        classifier: The model.

    Raises:
        ModelError: A model cannot be run.
        OutputError: A file cannot be written.
        RuntimeMissing: No worker process for the thumbnails can be started.
    """
    files = {
        os.path.relpath(each.sample.path, data).replace(os.sep, "/"): each for each in pictures
    }
    ordered = sorted(files, key=os.fsencode)
    page = StaticPage(path)
    previews = draw_all(data, ordered, count_cores()) if ordered else ()
    for file, preview in zip(ordered, previews, strict=True):
        picture = decoding.read(files[file].sample.path)
        prediction = pipeline.classify(picture, file, detector, classifier)
        item = PageItem(prediction, preview.width, preview.height, preview.picture, preview.message)
        page.add(item, files[file].text, preview.jpeg or None)
    page.close(PageSettings(title, editing=False), {})

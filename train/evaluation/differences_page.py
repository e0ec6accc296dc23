"""Shows pictures whose label or prediction should be checked, on a page like that of the review."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from image_gender_classifier import pipeline
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.imaging import decoding
from image_gender_classifier.outputs.page.data import PageItem, PageSettings
from image_gender_classifier.outputs.page.static import StaticPage
from image_gender_classifier.outputs.preview import draw_file
from image_gender_classifier.outputs.settings import THUMBNAIL_SIDE
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
    """
    files = {
        os.path.relpath(each.sample.path, data).replace(os.sep, "/"): each for each in pictures
    }
    page = StaticPage(path)
    for file in tqdm(sorted(files, key=os.fsencode), desc="page", unit="picture", disable=None):
        # Not in worker processes: a process forked beside TensorFlow's threads can hang.
        preview = draw_file(files[file].sample.path, THUMBNAIL_SIDE)
        picture = decoding.read(files[file].sample.path)
        prediction = pipeline.classify(picture, file, detector, classifier)
        item = PageItem(prediction, preview.width, preview.height, preview.picture, preview.message)
        page.add(item, files[file].text, preview.jpeg or None)
    page.close(PageSettings(title, editing=False), {})

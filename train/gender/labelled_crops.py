"""Face crops with their gender labels, at the input size of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import BinaryGender
from image_gender_classifier.train.evaluation.comparison import Comparison


@dataclass(frozen=True, slots=True)
class LabelledCrops:
    """Face crops with their gender labels.

    Attributes:
        crops: uint8 RGB, N x S x S x 3.
        female: Whether each crop is labelled female (bool, N).
    """

    crops: Pixels
    female: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.crops)

    def is_gender(self, gender: BinaryGender) -> npt.NDArray[np.bool_]:
        """Returns a boolean mask (N) of the crops whose label is `gender`."""
        return self.female if gender == "female" else ~self.female


def compare(old: Classifier, new: Classifier, labelled: LabelledCrops) -> Comparison:
    """Classifies crops with both models.

    Args:
        old: The earlier model.
        new: The new model, with the same input size.
        labelled: The crops, at least one.

    Raises:
        ModelError: A model cannot be run.
    """
    groups = {"female": labelled.female, "male": ~labelled.female}
    return Comparison(groups, _find_correct(old, labelled), _find_correct(new, labelled))


def _find_correct(classifier: Classifier, labelled: LabelledCrops) -> npt.NDArray[np.bool_]:
    """Returns whether each crop is classified correctly (bool, N)."""
    predicted = classifier.compute_probabilities(labelled.crops) >= 0.5
    correct: npt.NDArray[np.bool_] = predicted == labelled.is_gender(classifier.entry.positive)
    return correct

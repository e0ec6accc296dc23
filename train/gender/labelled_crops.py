"""Face crops with their gender labels, at the input size of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import BinaryGender


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

"""A prediction with two faces, for tests of the outputs."""

from __future__ import annotations

from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.results import Box, Face, Prediction

RUN = "0123456789ab"
PICTURE = PictureFile("a.jpg", "a.xml")
PREDICTION = Prediction(
    "a.jpg",
    "classified",
    "male",
    0.9,
    (Face(Box(1, 2, 3, 4), "lbp", "male", 0.9, 0.8, 0.1), Face(Box(5, 6, 7, 8), "lbp")),
    run=RUN,
    p_female=0.1,
)

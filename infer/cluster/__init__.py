"""Classifies pictures on a Ray cluster: `image-gender-ray`, and `classify` for other pipelines."""

from image_gender_classifier.cluster.dataset import classify

__all__ = ["classify"]

"""Every number of the training recipe, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from image_gender_classifier.train.split import HELD_OUT_FRACTION


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a classifier is trained.

    Attributes:
        input_size: Side of the network's input in pixels.
        stored_size: Side of the crops kept for training; larger than the input, so that an
            augmented crop loses no sharpness.
        blocks: How many of EfficientNet-Lite0's 16 blocks the network keeps.
        features: Channels of the last convolution, before pooling.
        dropout: Share of pooled features dropped in training.
        pretrained: Start from ImageNet weights.
        epochs: Passes over the training part.
        batch: Samples a step.
        learning_rate: Peak of the schedule (linear warm-up, then half a cosine to zero).
        warmup_epochs: Length of the warm-up.
        weight_decay: Decoupled weight decay of AdamW.
        label_smoothing: Of the gender labels.
        group_weight: Weight of the loss of each auxiliary head (age, race) against gender's.
        held_out: Share of the training samples kept for validation and calibration.
        patience: Epochs without a better validation loss after which training stops.
        seed: Of weights, order and augmentation.
    """

    input_size: int = 96
    stored_size: int = 128
    blocks: int = 9
    features: int = 256
    dropout: float = 0.2
    pretrained: bool = True
    epochs: int = 12
    batch: int = 64
    learning_rate: float = 1e-3
    warmup_epochs: float = 0.5
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    group_weight: float = 0.2
    held_out: float = HELD_OUT_FRACTION
    patience: int = 5
    seed: int = 1

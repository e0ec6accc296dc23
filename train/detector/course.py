"""Training of a face detector network on synthetic scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras

from image_gender_classifier.train.common import loop
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.split import divide
from image_gender_classifier.train.detector import losses, network
from image_gender_classifier.train.detector.backgrounds import Backgrounds
from image_gender_classifier.train.detector.batches import SceneBatches
from image_gender_classifier.train.detector.recipe import DetectorRecipe
from image_gender_classifier.train.detector.scenes import Sources

_SCENE, _VALIDATION_SCENE = 4, 5  # stream numbers of the random draws
VALIDATION_SCENES = 1024


def train(
    crop_set: CropSet, backgrounds: Backgrounds, recipe: DetectorRecipe, folder: Path
) -> keras.Model:
    """Trains a face detector, from the folder's last checkpoint if there is one.

    Args:
        crop_set: Face crops in the gender classifier's framing.
        backgrounds: Pictures without people.
        recipe: The recipe.
        folder: Existing folder for checkpoints and history.

    Returns:
        The inference model.

    Raises:
        ModelError: The checkpoint is damaged, or the loss becomes NaN or infinite.
        OutputError: The folder cannot be written to.
    """
    faces, places = (
        divide(names, recipe.held_out) for names in (crop_set.names, backgrounds.names)
    )
    training = _sources(crop_set, backgrounds, faces.training, places.training)
    validation = _sources(crop_set, backgrounds, faces.held_out, places.held_out)

    def batches(sources: Sources, count: int, *key: int) -> SceneBatches:
        return SceneBatches(
            sources, count, size=recipe.size, batch=recipe.batch, key=(*key, recipe.seed)
        )

    loop.begin(recipe.seed)
    model = network.build(recipe.pretrained)
    steps = recipe.scenes // recipe.batch
    optimizer = loop.optimizer(
        recipe.learning_rate,
        recipe.warmup_epochs * steps,
        recipe.weight_decay,
        recipe.epochs * steps,
    )
    model.compile(optimizer, loss={network.HEAT: losses.heat, network.BOX: losses.box})
    trained = loop.run(
        model,
        lambda epoch: batches(training, recipe.scenes, _SCENE, epoch),
        batches(validation, max(VALIDATION_SCENES, recipe.batch), _VALIDATION_SCENE, 0),
        folder,
        epochs=recipe.epochs,
        steps=steps,
        seed=recipe.seed,
    )
    return network.finished(trained, recipe.size)


def _sources(
    crop_set: CropSet, backgrounds: Backgrounds, faces: Sequence[int], places: Sequence[int]
) -> Sources:
    return Sources(crop_set.crops, faces, [backgrounds.pictures[place] for place in places])

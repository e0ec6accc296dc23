"""The finder's whole way from crops and backgrounds to the network that ships."""

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

_SCENE, _WATCHED_SCENE = 4, 5  # keep these draws apart from others of the same seed
_WATCHED = 1024  # scenes that watch the training


def train(
    crop_set: CropSet, backgrounds: Backgrounds, recipe: DetectorRecipe, folder: Path
) -> keras.Model:
    """Makes a finder, going on from the folder's last checkpoint of the same run.

    Args:
        crop_set: Faces in the classifier's frame.
        backgrounds: What they are set into.
        recipe: How.
        folder: Existing folder for checkpoints and history.

    Returns:
        The network as it ships.
    """
    faces, places = (
        divide(names, recipe.held_out) for names in (crop_set.names, backgrounds.names)
    )
    learnt = _sources(crop_set, backgrounds, faces.training, places.training)
    watched = _sources(crop_set, backgrounds, faces.held_out, places.held_out)

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
        lambda epoch: batches(learnt, recipe.scenes, _SCENE, epoch),
        batches(watched, max(_WATCHED, recipe.batch), _WATCHED_SCENE, 0),
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

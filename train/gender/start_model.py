"""Finds and checks the classifier that fine-tuning starts from, and those of `--teacher`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.train.common.listed_networks import require_other_file
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import held_out_fraction

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.gender.finetuning_recipe import FineTuningRecipe
    from image_gender_classifier.train.gender.recipe import Recipe

MODEL = "gender.keras"
SHIPPED = "shipped"  # value of `--from`
SUFFIX = ".keras"  # of the files of trained classifiers


def find_start_model(start: str | None) -> Path:
    """Returns the path of the classifier to fine-tune.

    Args:
        start: The value of `--from`: None or "shipped" for the shipped model, else a path.

    Raises:
        ModelError: The shipped model does not exist, because the package was installed from a
            wheel.
    """
    if start not in (None, SHIPPED):
        return Path(start)
    path = shipped_models() / MODEL
    if not path.exists():
        raise ModelError(
            f"{path}: the shipped Keras model is in the repository and the source archive only; "
            "run the command from there, or use --from imagenet"
        )
    return path


def check_trained_classifier(
    path: Path, recipe: Recipe | FineTuningRecipe, out: Path
) -> ModelEntry:
    """Checks a classifier to fine-tune, or one of `--teacher`, before the work begins.

    Args:
        path: The `.keras` file of the classifier.
        recipe: The recipe of the training.
        out: Folder for the new classifier.

    Returns:
        Its manifest entry.

    Raises:
        ModelError: The file or its manifest is missing or corrupt, or its training did not finish.
        UsageError: The new classifier would replace it, or its input is larger than the crops.
    """
    check_run_finished(path)
    entry = manifest.find_model(path)
    manifest.read_verified(path.parent, entry)
    require_other_file(path, out / MODEL, "TRAIN_OUT")
    size = entry.input_shape[0]
    if size > recipe.stored_size:
        raise UsageError(
            f"{path}: the input of the model has a side of {size} pixels, which is more than "
            f"stored_size = {recipe.stored_size} in the recipe; set it to {size}"
        )
    return entry


def check_held_out(
    path: Path, entry: ModelEntry, data: str, held_out: float, folds: int
) -> str | None:
    """Checks that no picture counts as unseen that a classifier was trained on.

    Args:
        path: The `.keras` file of the classifier.
        entry: Its manifest entry.
        data: Hash of the names and labels of the pictures.
        held_out: Fraction of the pictures that the training holds out.
        folds: Number of folds of a cross-validation; 0 for none.

    Returns:
        A warning if the classifier may have been trained on some of the pictures that the training
        holds out; None if it was not, or is the shipped one.

    Raises:
        UsageError: The classifier was trained on these pictures and held out fewer of them, or
            `folds` is given for a classifier that is not the shipped one.
    """
    same = entry.trained.get("data") == data
    if path.parent.resolve() == shipped_models().resolve() and not same:
        return None
    if folds:
        raise UsageError(
            f"{path}: --folds measures on all pictures, also on those that this model was trained "
            "on; omit --folds, or use --from shipped"
        )
    earlier = held_out_fraction(entry)
    if held_out <= earlier:
        return None
    remedy = f"give a --recipe with held_out = {earlier:g}"
    fractions = f"held out {earlier:g} of its pictures, and this one holds out {held_out:g}"
    if same:
        raise UsageError(
            f"{path}: its training {fractions} of the same pictures, most of them known to the "
            f"model; {remedy}"
        )
    return (
        f"{path}: its training {fractions}: pictures that are in both may count as unseen, though "
        f"the model knows them. If there are such pictures, {remedy}"
    )

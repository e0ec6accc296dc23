"""The classifier that fine-tuning starts from, and what has to hold for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import held_out_fraction

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.gender.finetuning_recipe import FineTuningRecipe

MODEL = "gender.keras"
SHIPPED = "shipped"  # value of `--from`


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


def check_start_model(path: Path, recipe: FineTuningRecipe, out: Path) -> ModelEntry:
    """Checks the classifier to fine-tune before the work begins.

    Args:
        path: The `.keras` file of the classifier.
        recipe: The recipe for fine-tuning.
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
    if path.resolve() == (out / MODEL).resolve():
        raise UsageError(f"--out {out}: the new model would replace {path}; use another folder")
    size = entry.input_shape[0]
    if size > recipe.stored_size:
        raise UsageError(
            f"{path}: the input of the model has a side of {size} pixels, which is more than "
            f"stored_size = {recipe.stored_size} in the recipe; set it to {size}"
        )
    return entry


def check_held_out(path: Path, entry: ModelEntry, data: str, held_out: float, folds: int) -> None:
    """Checks that no picture would count as unseen that the classifier was trained on.

    Args:
        path: The `.keras` file of the classifier to fine-tune.
        entry: Its manifest entry.
        data: Hash of the names and labels of the pictures.
        held_out: Fraction of the pictures that fine-tuning holds out.
        folds: Number of folds of a cross-validation; 0 for none.

    Raises:
        UsageError: The classifier was trained on these pictures, and held out fewer of them.
    """
    if entry.trained.get("data") != data:
        return
    if folds:
        raise UsageError(
            f"{path}: the model was trained on these pictures, so that --folds cannot measure "
            "anything; omit --folds"
        )
    earlier = held_out_fraction(entry)
    if held_out > earlier:
        raise UsageError(
            f"{path}: the training of the model held out {earlier:g} of these pictures, and this "
            f"one would hold out {held_out:g}, most of them known to the model; give a --recipe "
            f"with held_out = {earlier:g}"
        )

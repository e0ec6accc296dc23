"""Classifies the pictures of a Ray data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.cluster.cpus import choose_workers
from image_gender_classifier.cluster.installed import require_ray
from image_gender_classifier.setting_checks import (
    check_count,
    check_settings,
    convert_model_path,
)
from image_gender_classifier.settings import MAX_BYTES, DetectorChoice, RuntimeChoice, Settings

if TYPE_CHECKING:
    import ray
    from ray.data import Dataset

BATCH = 64
"""Usual number of pictures that a worker takes at a time."""


def classify(  # noqa: PLR0913  the arguments of `load`, and those of the cluster
    dataset: Dataset,
    *,
    path_column: str = "path",
    bytes_column: str = "bytes",
    workers: int | None = None,
    batch: int = BATCH,
    model: str | os.PathLike[str] | None = None,
    runtime: RuntimeChoice = "auto",
    detector: DetectorChoice = "network",
    threshold: float | None = None,
    min_face: float | None = None,
    all_faces: bool = False,
    max_pixels: int | None = None,
    max_bytes: int = MAX_BYTES,
) -> Dataset:
    """Classifies the pictures of a Ray data set, such as of `ray.data.read_binary_files`.

    The package must be installed on all nodes. Each worker needs one CPU of the cluster, and one
    more CPU is left for reading.

    Args:
        dataset: A data set with the contents of picture files.
        path_column: Name of the column with their paths, text or bytes.
        bytes_column: Name of the column with their contents.
        workers: Number of workers in the cluster; None for one per CPU but one.
        batch: Number of pictures that a worker takes at a time. The memory of a node must hold a
            few batches for each of its workers.
        model: See `load`; so are all further arguments.
        runtime: See `load`.
        detector: See `load`.
        threshold: See `load`.
        min_face: See `load`.
        all_faces: See `load`.
        max_pixels: See `load`.
        max_bytes: See `load`.

    Returns:
        A data set with a row for each picture, with the columns of `rows.SCHEMA`.

    Raises:
        RuntimeMissing: Ray is not installed.
        UsageError: An argument has a wrong type, is unknown or out of range (as for `load`), or the
            cluster has too few CPUs.
    """
    path = convert_model_path(model)
    settings = Settings(path, runtime, detector, threshold, min_face, all_faces)
    settings = check_settings(settings._replace(max_pixels=max_pixels, max_bytes=max_bytes))
    batch = check_count("batch", batch)
    workers = None if workers is None else check_count("workers", workers)
    require_ray()
    import ray

    if not ray.is_initialized():
        ray.init()
    return add_classifier(
        dataset, settings, choose_workers(workers), batch, (path_column, bytes_column)
    )


def add_classifier(
    dataset: Dataset,
    settings: Settings,
    workers: int,
    batch: int | None = None,
    columns: tuple[str, str] = ("path", "bytes"),
    *,
    known: ray.ObjectRef | None = None,
    debug: bool = False,
) -> Dataset:
    """Returns the data set of `classify`.

    Args:
        dataset: See `classify`.
        settings: The settings of the classifier.
        workers: See `classify`.
        batch: See `classify`; None for one block.
        columns: Names of the columns with paths and contents.
        known: See `PictureClassifier`.
        debug: See `PictureClassifier`.
    """
    from ray.data import ActorPoolStrategy

    from image_gender_classifier.cluster.actor import PictureClassifier

    if settings.model is not None:  # the nodes have other working folders
        settings = settings._replace(model=str(Path(settings.model).absolute()))
    return dataset.map_batches(
        PictureClassifier,
        fn_constructor_args=(settings, *columns, known, debug),
        compute=ActorPoolStrategy(size=workers),
        batch_size=batch,
        batch_format="pyarrow",
        zero_copy_batch=True,
        num_cpus=1,
    )

"""A run of `image-gender-ray`: reads, classifies, writes, and removes outdated rows."""

from __future__ import annotations

import time
from collections import Counter

from image_gender_classifier.cluster import parts, storage
from image_gender_classifier.cluster.connection import connect
from image_gender_classifier.cluster.cpus import choose_workers, watch_cpus
from image_gender_classifier.cluster.dataset import add_classifier
from image_gender_classifier.cluster.inputs import (
    READING_CPUS,
    check_output,
    find_input,
    open_data,
)
from image_gender_classifier.cluster.messages import Console
from image_gender_classifier.cluster.parser import Options
from image_gender_classifier.cluster.sink import PredictionSink
from image_gender_classifier.cluster.summary import format_summary
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.setting_checks import check_settings
from image_gender_classifier.system.signals import raise_on_signals


def classify_input(options: Options, console: Console) -> tuple[Counter[str], bool]:
    """Classifies an input.

    Args:
        options: The options.
        console: For messages; the summary goes to standard output.

    Returns:
        The number of rows by gender, if it is known, or by status; and whether all subfolders
        and files could be read.

    Raises:
        GenderClassifierError: The input, the output, the cluster or a setting cannot be used.
    """
    start = time.perf_counter()
    settings = check_settings(options.settings)
    source, target = storage.open_place(options.input), storage.open_place(options.output)
    check_output(source, target, options.form)
    limits = Limits.from_settings(settings)
    found = find_input(source, options.form, limits, options.batch, options.columns)
    for unread in found.unread:
        console.say(f"{unread}; it is left out")
    has_parts = _prepare_output(target, options)
    with connect(options.address, options.debug), raise_on_signals():  # Ray has handlers too
        import ray

        workers = choose_workers(options.workers)
        known = ray.put(parts.find_keys(target)) if has_parts else None
        predictions = add_classifier(
            open_data(found, options.batch), settings, workers, known=known, debug=options.debug
        )
        sink = PredictionSink(target, options.rows_per_file)
        with watch_cpus(workers + 1, console.say):
            predictions.write_datasink(sink, ray_remote_args={"num_cpus": READING_CPUS})
        parts.remove_outdated_rows(target, sink.run, sink.kept)
        storage.remove_partial_files(target)
    if not options.quiet:
        console.print(format_summary(sink.counts, time.perf_counter() - start))
    return sink.counts, not found.unread


def _prepare_output(target: storage.Place, options: Options) -> bool:
    """Creates the output folder; returns whether it has rows of earlier runs.

    Raises:
        UsageError: It has, and `--resume` is not given.
        OutputError: It cannot be used.
    """
    storage.create_folder(target)
    storage.remove_partial_files(target)
    has_parts = bool(parts.list_parts(target))
    if has_parts and not options.resume:
        raise UsageError(
            f"{target.uri}: has predictions of an earlier run; give --resume to continue it, or "
            "another folder"
        )
    return has_parts

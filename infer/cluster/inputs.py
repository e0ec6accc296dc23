"""Opens an input as a data set: lists its files and reads them in tasks, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from image_gender_classifier.cluster.archives import find_archives, read_archives
from image_gender_classifier.cluster.files import Found, find_pictures, read_files
from image_gender_classifier.cluster.formats import TABLES, TARS, Format, guess_format
from image_gender_classifier.cluster.rows import Picture, make_pictures_table
from image_gender_classifier.cluster.storage import Place
from image_gender_classifier.cluster.tables import check_columns, find_tables, read_tables
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import Limits

if TYPE_CHECKING:
    from ray.data import Dataset

Read = Callable[[Iterable[bytes]], Iterator[Picture]]
"""Reads the pictures of the files with these paths."""

READING_CPUS = 0.5
"""CPUs of the cluster that a reading or writing task takes; it mostly waits."""

BYTES_PER_BLOCK = 2**23
"""Size of a block after which the next one begins.

Ray reserves room for a few blocks per worker in the object store, which is small on small nodes.
"""

_BATCHES_PER_TASK = 4
_MOST_TASKS = 20_000  # of an input of single files


class Input(NamedTuple):
    """An input.

    Attributes:
        paths: The paths of its files.
        unread: The subfolders and files that cannot be read, with the reason.
        files_per_task: Number of files that a task reads.
        read: Reads files.
    """

    paths: list[bytes]
    unread: tuple[str, ...]
    files_per_task: int
    read: Read


def check_output(source: Place, target: Place, form: Format | None) -> None:
    """Checks that the output does not become part of the input.

    Args:
        source: The input.
        target: The output.
        form: See `find_input`.

    Raises:
        UsageError: It does.
    """
    if source.files != target.files:
        return
    if source.path == target.path:
        raise UsageError(f"{target.uri}: is the input; give another folder")
    has_tables = (form or guess_format(source.path)) == "parquet"
    if has_tables and target.path.startswith(f"{source.path.rstrip('/')}/"):
        raise UsageError(
            f"{target.uri}: is inside the input, which has Parquet files too; give another folder"
        )


def find_input(
    place: Place, form: Format | None, limits: Limits, batch: int, columns: tuple[str, str]
) -> Input:
    """Lists the files of an input.

    Args:
        place: A file, or a folder with all that is below it.
        form: What the files are; None to tell it from the name of the input.
        limits: Limits on the size of pictures.
        batch: Number of pictures in a block.
        columns: Names of the columns with paths and contents, in Parquet files.

    Raises:
        UsageError: There is nothing to read, or it has not the columns.
    """
    form = form or guess_format(place.path)
    read: Read
    if form == "tar":
        found, what = find_archives(place), f"tar archive ({', '.join(TARS)})"
        read = partial(read_archives, place, limits)
    elif form == "parquet":
        found, what = find_tables(place), f"Parquet file (*{TABLES})"
        read = partial(read_tables, place, columns)
    else:
        found, what = find_pictures(place), "picture"
        read = partial(read_files, place, limits)
    if not found.paths:
        raise UsageError(f"{place.uri}: has no {what}; check --input and --format")
    if form == "parquet":
        check_columns(place, found.paths[0], *columns)
    return Input(*found, _count_per_task(form, found, batch), read)


def open_data(found: Input, batch: int) -> Dataset:
    """Returns the data set of an input, whose blocks are limited in number and bytes.

    Args:
        found: The input.
        batch: Maximum number of pictures in a block.
    """
    import ray.data

    paths, size = found.paths, found.files_per_task
    tasks = [
        pa.table({"path": pa.array(paths[start : start + size], pa.binary())})
        for start in range(0, len(paths), size)
    ]
    return ray.data.from_arrow(tasks).map_batches(
        partial(read_blocks, found.read, batch),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=READING_CPUS,
    )


def read_blocks(read: Read, batch: int, paths: pa.Table) -> Iterator[pa.Table]:
    """Yields the pictures of files in blocks that are limited in number and bytes."""
    block: list[Picture] = []
    size = 0
    is_first = True
    for picture in read(paths["path"].to_pylist()):
        block.append(picture)
        size += len(picture.bytes or b"")
        if len(block) == batch or size >= BYTES_PER_BLOCK:
            yield make_pictures_table(block)
            block, size, is_first = [], 0, False
    if block or is_first:
        yield make_pictures_table(block)


def _count_per_task(form: Format, found: Found, batch: int) -> int:
    if form != "pictures":
        return 1
    return max(_BATCHES_PER_TASK * batch, -(-len(found.paths) // _MOST_TASKS))

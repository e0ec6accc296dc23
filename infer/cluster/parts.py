"""The output: Parquet files (parts), which are written whole, read by later runs, never deleted."""

from __future__ import annotations

import io
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from image_gender_classifier.cluster.keys import Keys, contains, make_keys, sort_keys
from image_gender_classifier.cluster.rows import FAILED
from image_gender_classifier.cluster.storage import Place, list_names, output_errors, write_file
from image_gender_classifier.errors import OutputError

_SUFFIX = ".parquet"
_RUN = re.compile(r"part-(\d{8}T\d{6}-[0-9a-f]{8})-\d{6,}\.parquet")
_READ_REMEDY = (
    "; nothing was changed; move the file elsewhere, and --resume classifies its pictures again"
)
_THREADS = 16  # that read parts: an object store takes long to answer


class Kept(NamedTuple):
    """Sorted keys of the rows of earlier runs that a run keeps.

    Attributes:
        rows: Their keys by path and `run`.
        paths: Their keys by path.
    """

    rows: Keys
    paths: Keys


def make_run_name() -> str:
    """Returns a name for a run; the names sort by time."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:8]}"


def name_part(run: str, number: int) -> str:
    """Returns the name of a part that a run writes."""
    return f"part-{run}-{number:06}{_SUFFIX}"


def list_parts(place: Place) -> list[str]:
    """Returns the names of the parts, those of the oldest run first.

    Raises:
        OutputError: The folder cannot be read, or has Parquet files of another program.
    """
    names = [name for name in list_names(place) if name.endswith(_SUFFIX) and name[0] not in "._"]
    for name in names:
        if _RUN.fullmatch(name) is None:
            raise OutputError(
                f"{place.uri}/{name}: not a file of this program; move it elsewhere, or give "
                "another --output"
            )
    return names


def write_part(place: Place, name: str, table: pa.Table) -> None:
    """Writes a part, whole or not at all; replaces an earlier one of this name.

    Raises:
        OutputError: It cannot be written.
    """
    data = io.BytesIO()
    parquet.write_table(table, data, compression="zstd")
    write_file(place, name, data.getvalue())


def has_part(place: Place, name: str) -> bool:
    """Returns whether there is a part of this name.

    Raises:
        OutputError: The folder cannot be read.
    """
    with output_errors(place.uri, "read"):
        (found,) = place.files.get_file_info([f"{place.path}/{name}"])
    return bool(found.is_file)


def find_keys(place: Place) -> Keys:
    """Returns the sorted keys of the rows that may still be valid: of all that have not failed.

    Raises:
        OutputError: A part cannot be read.
    """
    found = []
    names = list_parts(place)
    for table in _read_parts(place, names, ("path", "run", "status")):
        done = table.filter(compute.not_equal(table["status"], FAILED))
        found.append(_keys_of(done, "run"))
    return sort_keys(found)


def remove_outdated_rows(place: Place, present: str, kept: Kept) -> int:
    """Removes the rows of pictures for which a later run has written or kept another row.

    Each part with such rows is replaced by one without them. An interruption leaves rows of both
    runs; the next run removes them.

    Args:
        place: The output.
        present: Name of the present run, whose rows all stay.
        kept: The rows of earlier runs that the present run has found valid.

    Returns:
        The number of removed rows.

    Raises:
        OutputError: A part cannot be read or replaced.
    """
    names = list_parts(place)[::-1]
    if len(set(map(_run_of, names))) < 2:
        return 0
    removed = 0
    later = sort_keys([])  # paths of the runs after that of the part
    same: list[Keys] = []  # paths of the run of the part
    run = ""
    for name, table in zip(names, _read_parts(place, names, ("path", "run")), strict=True):
        if _run_of(name) != run:
            run = _run_of(name)
            later, same = sort_keys([later, *same]), []
        paths = _keys_of(table)
        is_replaced = contains(later, paths) | contains(kept.paths, paths)
        outdated = is_replaced & ~contains(kept.rows, _keys_of(table, "run"))
        if run != present and outdated.any():
            removed += int(outdated.sum())
            _remove_rows(place, name, outdated)
        same.append(paths)
    return removed


def _remove_rows(place: Place, name: str, outdated: NDArray[np.bool_]) -> None:
    table = _read_part(place, None, name)
    write_part(place, name, table.filter(pa.array(~outdated)))


def _read_parts(place: Place, names: Iterable[str], columns: tuple[str, ...]) -> Iterator[pa.Table]:
    """Yields columns of parts, in order; some are read ahead."""
    remaining = iter(names)
    with ThreadPoolExecutor(_THREADS) as threads:
        while some := list(islice(remaining, _THREADS)):
            yield from threads.map(partial(_read_part, place, columns), some)


def _read_part(place: Place, columns: tuple[str, ...] | None, name: str) -> pa.Table:
    """Reads a part; all columns if `columns` is None.

    Raises:
        OutputError: It cannot be read.
    """
    wanted = None if columns is None else list(columns)
    with (
        output_errors(f"{place.uri}/{name}", "read", _READ_REMEDY),
        place.files.open_input_file(f"{place.path}/{name}") as file,
    ):
        return parquet.read_table(file, columns=wanted)


def _keys_of(table: pa.Table, run: str | None = None) -> Keys:
    """Returns the keys of rows by path, or by path and the column `run`."""
    paths = table["path"].to_pylist()
    runs = [""] * len(paths) if run is None else table[run].to_pylist()
    return make_keys(zip(paths, runs, strict=True))


def _run_of(name: str) -> str:
    found = _RUN.fullmatch(name)
    assert found is not None, name  # `list_parts` has checked it
    return found[1]

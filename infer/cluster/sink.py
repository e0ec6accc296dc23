"""Writes the blocks of a Ray data set of predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import compute
from ray.data import Datasink

from image_gender_classifier.cluster.keys import load_keys, make_keys, sort_keys
from image_gender_classifier.cluster.parts import (
    Kept,
    has_part,
    make_run_name,
    name_part,
    write_part,
)
from image_gender_classifier.cluster.rows import KEPT, SCHEMA
from image_gender_classifier.cluster.storage import Place

if TYPE_CHECKING:
    from ray.data._internal.execution.interfaces import TaskContext


class Written(NamedTuple):
    """The result of a write task.

    Attributes:
        counts: Number of rows by gender, if it is known, or by status.
        kept: The keys by path and `run` of the rows that are kept from earlier runs, one after the
            other.
        kept_paths: Likewise, by path.
    """

    counts: Counter[str]
    kept: bytes
    kept_paths: bytes


class PredictionSink(Datasink[Written]):  # type: ignore[misc]
    """Writes blocks of predictions, each write task one part.

    Args:
        place: The output folder or prefix.
        rows: Number of rows that a part has at least, unless no more are left.

    Attributes:
        run: Name of the run.
        counts: After the run, the sum of all `Written.counts`.
        kept: After the run, the rows that were kept from earlier runs.
    """

    def __init__(self, place: Place, rows: int) -> None:
        self._place = place
        self._rows = rows
        self.run = make_run_name()
        self.counts: Counter[str] = Counter()
        self.kept = Kept(sort_keys([]), sort_keys([]))

    @property
    def min_rows_per_write(self) -> int:
        """See `Datasink`."""
        return self._rows

    def write(self, blocks: Iterable[Any], ctx: TaskContext) -> Written:
        """Writes the rows of a task, without those that an earlier run has.

        Ray repeats the task if its node dies, with the same rows and `ctx.task_idx`. A part that
        the first attempt has written is left as it is.
        """
        tables = [block.select(SCHEMA.names).cast(SCHEMA) for block in blocks if block.num_rows]
        table = pa.concat_tables([SCHEMA.empty_table(), *tables])
        is_new = compute.not_equal(table["status"], KEPT)
        new, kept = table.filter(is_new), table.filter(compute.invert(is_new))
        name = name_part(self.run, ctx.task_idx)
        if new.num_rows and not has_part(self._place, name):
            write_part(self._place, name, new)
        is_classified = compute.equal(table["status"], "classified")
        kinds = compute.if_else(is_classified, table["gender"], table["status"])
        paths, runs = kept["path"].to_pylist(), kept["run"].to_pylist()
        return Written(
            Counter(kinds.to_pylist()),
            make_keys(zip(paths, runs, strict=True)).tobytes(),
            make_keys((path, "") for path in paths).tobytes(),
        )

    def on_write_complete(self, write_result: Any) -> None:
        """Adds up the results of all write tasks."""
        results = [Written(*result) for result in write_result.write_returns]
        self.counts = sum((result.counts for result in results), Counter())
        self.kept = Kept(
            sort_keys(load_keys(result.kept) for result in results),
            sort_keys(load_keys(result.kept_paths) for result in results),
        )

"""The Ray actor: classifies batches of pictures in an isolated worker process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from image_gender_classifier.cluster import rows
from image_gender_classifier.cluster.keys import contains, make_keys
from image_gender_classifier.cluster.temporary import TemporaryFolder
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.files import EMPTY
from image_gender_classifier.imaging.versions import unreadable_key
from image_gender_classifier.manifest.cache_key import make_unreadable_prediction, run_hash
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.results import Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.workers.messages import Task
from image_gender_classifier.workers.supervisor import Known, Outcome, Supervisor

if TYPE_CHECKING:
    import ray

_NO_BYTES = "the row has no bytes"


class PictureClassifier:
    """Classifies batches of pictures; an actor class for `Dataset.map_batches`.

    Holds one worker process, which decodes the pictures: a crash or hang costs one picture, and
    the end of the actor ends it. Opens it with the first batch, because Ray restarts an actor
    forever that cannot be created.

    Args:
        settings: The settings of the classifier.
        path_column: Name of the column with the paths, text or bytes.
        bytes_column: Name of the column with the contents of the files.
        known: The sorted keys of the rows of earlier runs that may be valid; None for none.
        debug: Whether the worker process prints its tracebacks.
    """

    def __init__(
        self,
        settings: Settings,
        path_column: str,
        bytes_column: str,
        known: ray.ObjectRef | None = None,
        debug: bool = False,
    ) -> None:
        self._task = Task(settings, workers=1, debug=debug)
        self._columns = path_column, bytes_column
        self._known_reference = known

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Classifies a batch.

        Returns:
            A row for each picture, in order.

        Raises:
            GenderClassifierError: A column is missing, or a library, model or setting cannot be
                used.
        """
        pictures = list(self._read(batch))
        try:
            return rows.make_table(self._classify(pictures))
        except BaseException:
            self.close()  # its unfinished pictures must not be taken for those of the next batch
            raise

    def _classify(self, pictures: list[rows.Picture]) -> list[rows.Row]:
        """Returns a row for each picture, in order."""
        jobs = (PictureFile(str(number), "") for number in range(len(pictures)))
        outcomes = self._supervisor.classify(jobs, self._folder, self._prepare(pictures))
        made = []
        for picture, outcome in zip(pictures, outcomes, strict=True):
            made.append(self._make_row(picture, outcome))
            with suppress(OSError):
                (self._folder / outcome.picture.file).unlink()
        return made

    def close(self) -> None:
        """Ends the worker process and removes the temporary files."""
        opened = vars(self)
        if "_supervisor" in opened:
            opened.pop("_supervisor").__exit__(None)
        if "_temporary" in opened:
            opened.pop("_temporary").close()

    def __del__(self) -> None:
        self.close()

    @cached_property
    def _supervisor(self) -> Supervisor:
        return Supervisor(self._task, fork=False)

    @cached_property
    def _temporary(self) -> TemporaryFolder:
        return TemporaryFolder()

    @property
    def _folder(self) -> Path:
        return self._temporary.path

    @cached_property
    def _known(self) -> Any:
        if self._known_reference is None:
            return None
        import ray

        return ray.get(self._known_reference)

    def _read(self, batch: pa.Table) -> Iterator[rows.Picture]:
        """Yields the pictures of a batch; the columns of `rows.PICTURES` are optional."""
        path_column, bytes_column = self._columns
        for column in self._columns:
            if column not in batch.column_names:
                raise UsageError(
                    f"the data has no column {column!r}; its columns are "
                    f"{', '.join(batch.column_names)}"
                )
        kind = batch.schema.field(bytes_column).type
        if not (rows.is_binary(kind) or pa.types.is_null(kind)):
            raise UsageError(f"column {bytes_column!r} has {kind}, not the bytes of files")
        missing = pa.nulls(batch.num_rows)

        def find(name: str) -> pa.Array:
            return batch[name] if name in batch.column_names else missing

        columns = find("file"), find("size"), find("problem"), find("fault")
        for path, data, *others in zip(
            batch[path_column], batch[bytes_column], *columns, strict=True
        ):
            file, size, problem, fault = (value.as_py() for value in others)
            content = data.as_py()
            if content is None and fault is None:
                problem = problem or _NO_BYTES
            if content is not None and size is None:
                size = len(content)
            name = rows.encode_path(path.as_py())
            shown = name if file is None else rows.encode_path(file)
            yield rows.Picture(name, shown, size, content, problem, fault)

    def _prepare(self, pictures: list[rows.Picture]) -> Known:
        """Returns a function that finds the outcome of a picture or writes its file for the worker.

        The supervisor calls it when it is the picture's turn, so that there are few files.
        """

        def prepare(file: PictureFile) -> Outcome | None:
            picture = pictures[int(file.file)]
            if picture.fault is not None:
                return Outcome(file, None, error=picture.fault, unfinished=True)
            key = self._supervisor.cache_key
            if not picture.bytes:
                message = EMPTY if picture.bytes is not None else picture.problem or _NO_BYTES
                prediction = make_unreadable_prediction(file.file, message, key)
                return Outcome(file, prediction, self._find_known(picture, prediction.run) != "")
            if self._known is not None:
                runs = (run_hash(picture.bytes, each) for each in (key, unreadable_key(key)))
                run = self._find_known(picture, *runs)
                if run:
                    kept = Prediction(file.file, "unreadable", "unknown", run=run)
                    return Outcome(file, kept, kept=True)
            try:
                (self._folder / file.file).write_bytes(picture.bytes)
            except OSError as error:
                why = f"{self._folder} cannot be written ({error.strerror}); check the free space"
                return Outcome(file, None, error=why, unfinished=True)
            return None

        return prepare

    def _find_known(self, picture: rows.Picture, *runs: str) -> str:
        """Returns the `run` with which an earlier run has a row of the picture; empty if none."""
        if self._known is None:
            return ""
        found = contains(self._known, make_keys((picture.shown_path, run) for run in runs))
        return next((run for run, is_known in zip(runs, found, strict=True) if is_known), "")

    def _make_row(self, picture: rows.Picture, outcome: Outcome) -> rows.Row:
        prediction = outcome.prediction
        if prediction is None:
            return rows.make_failed_row(picture, outcome.error)
        # The `run` of a picture that crashes its decoder is known only now.
        is_lost = prediction.status == "unreadable"
        if outcome.kept or (is_lost and self._find_known(picture, prediction.run)):
            return rows.make_kept_row(picture, prediction.run)
        return rows.make_row(picture, replace(prediction, file=os.fsdecode(picture.file)))

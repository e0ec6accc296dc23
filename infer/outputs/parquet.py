"""Writes the table as Apache Parquet, with the columns of the CSV table and their types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.records import COLUMNS, Record, list_records
from image_gender_classifier.outputs.settings import DEFAULTS, OutputSettings, Rows
from image_gender_classifier.outputs.table import Table

_INTEGERS = frozenset({"faces", "face", "x", "y", "width", "height", "turn"})
_NUMBERS = frozenset({"confidence", "p_female", "score"})
_REQUIRED = frozenset({"id", "file", "status", "run"})
_GROUP = 10_000  # records that are encoded together
_MAGIC = b"PAR1"


class _Sink:
    """A file for pyarrow that keeps what was written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._size = 0
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data


class _Encoder:
    """Encodes records in groups; every method returns the next bytes of the file."""

    def __init__(self, rows: Rows) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise UsageError(
                "--parquet needs the package pyarrow: pip install pyarrow "
                f"({' '.join(str(error).split())})"
            ) from None
        types = {**dict.fromkeys(_INTEGERS, "int64"), **dict.fromkeys(_NUMBERS, "float64")}
        self._schema = pyarrow.schema(
            pyarrow.field(name, types.get(name, "string"), name not in _REQUIRED)
            for name in COLUMNS[rows]
        )
        self._make_batch = pyarrow.RecordBatch.from_pylist
        self._list_records = list_records(rows)
        self._records: list[Record] = []
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema)

    def take(self) -> bytes:
        return self._sink.take()

    def encode(self, row: Row) -> bytes:
        self._records += self._list_records(row.prediction)
        if len(self._records) >= _GROUP:
            self._write_group()
        return self._sink.take()

    def finish(self) -> bytes:
        if self._records:
            self._write_group()
        self._writer.close()
        return self._sink.take()

    def _write_group(self) -> None:
        self._writer.write_batch(self._make_batch(self._records, self._schema))
        self._records = []


def open_output(path: Path, settings: OutputSettings = DEFAULTS) -> Table:
    """Opens a Parquet table and returns it.

    Args:
        path: Path of the table.
        settings: What the table has rows for.

    Raises:
        UsageError: The package pyarrow is missing.
        OutputError: The file cannot be written.
    """
    encoder = _Encoder(settings.rows)
    return Table(path, encoder.encode, encoder.take(), footer=encoder.finish, start=(_MAGIC,))

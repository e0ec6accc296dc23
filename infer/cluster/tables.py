"""Reads pictures from a column of Parquet files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyarrow import ArrowException, parquet

from image_gender_classifier.cluster.files import Found, name_file
from image_gender_classifier.cluster.formats import TABLES
from image_gender_classifier.cluster.rows import Picture, encode_path, is_binary
from image_gender_classifier.cluster.storage import (
    BUFFER,
    Place,
    describe_error,
    list_files,
    open_file,
)
from image_gender_classifier.errors import UsageError

_ROWS = 16  # that are decoded at a time


def find_tables(place: Place) -> Found:
    """Lists the Parquet files.

    Raises:
        UsageError: There is no such folder or file, or it cannot be read.
    """
    return Found([path for path in list_files(place) if _is_table(path.rpartition(b"/")[2])])


def _is_table(name: bytes) -> bool:
    return name.lower().endswith(TABLES.encode()) and not name.startswith((b"_", b"."))


def check_columns(place: Place, path: bytes, path_column: str, bytes_column: str) -> None:
    """Checks that a file has the columns.

    Raises:
        UsageError: It has not, or cannot be read.
    """
    file = name_file(place, path)[1].decode("utf-8", "replace")
    try:
        with open_file(place, path) as source:
            schema = parquet.read_schema(source)
    except Exception as error:  # fsspec passes on those of many libraries
        raise UsageError(f"{file}: cannot be read ({describe_error(error)})") from None
    problem = _find_problem(schema, path_column, bytes_column)
    if problem is not None:
        raise UsageError(f"{file}: {problem}; see --path-column and --bytes-column")


def _find_problem(schema: pa.Schema, path_column: str, bytes_column: str) -> str | None:
    """Returns why a file with a schema cannot be read; None if it can."""
    for column in (path_column, bytes_column):
        if schema.names.count(column) != 1:
            return f"has no column {column!r}; its columns are {', '.join(schema.names)}"
    kind = schema.field(bytes_column).type
    return (
        None if is_binary(kind) else f"column {bytes_column!r} has {kind}, not the bytes of files"
    )


def read_tables(
    place: Place, columns: tuple[str, str], paths: Iterable[bytes]
) -> Iterator[Picture]:
    """Yields the pictures in Parquet files; one more with the reason if a file is damaged.

    Args:
        place: The input.
        columns: Names of the columns with paths and contents.
        paths: Paths of the files.
    """
    for path in paths:
        uri, file = name_file(place, path)
        try:
            with open_file(place, path) as source:
                stored = parquet.ParquetFile(source, buffer_size=BUFFER)
                problem = _find_problem(stored.schema_arrow, *columns)
                if problem is not None:
                    yield Picture(uri, file, None, problem=problem)
                    continue
                for batch in stored.iter_batches(_ROWS, columns=list(columns)):
                    for name, data in zip(*(batch[column] for column in columns), strict=True):
                        shown, content = encode_path(name.as_py()), data.as_py()
                        size = None if content is None else len(content)
                        yield Picture(shown, shown, size, content)
        except Exception as error:  # fsspec passes on those of many libraries
            why = describe_error(error)
            if _is_damage(error, place):
                problem = f"the Parquet file is damaged ({why}); write it again"
                yield Picture(uri, file, None, problem=problem)
            else:
                fault = f"the Parquet file cannot be read at present ({why})"
                yield Picture(uri, file, None, fault=fault)


def _is_damage(error: Exception, place: Place) -> bool:
    """Returns whether an error is due to the content of a file; if unknown, False."""
    if isinstance(error, OSError):  # Arrow raises it for damaged content, too, without a number
        return place.is_local and error.errno is None
    return isinstance(error, ArrowException)

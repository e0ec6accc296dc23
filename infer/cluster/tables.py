"""Reads pictures from a column of Parquet files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from pyarrow import ArrowException, parquet

from image_gender_classifier.cluster.files import Found, name_file
from image_gender_classifier.cluster.formats import TABLES
from image_gender_classifier.cluster.rows import Picture, encode_path
from image_gender_classifier.cluster.storage import Place, describe_error, list_files
from image_gender_classifier.errors import UsageError

_ROWS = 16  # that are decoded at a time


def find_tables(place: Place) -> Found:
    """Lists the Parquet files.

    Raises:
        UsageError: There is no such folder or file, or it cannot be read.
    """
    files = list_files(place)
    names = (info.path for info in files if not info.base_name.startswith(("_", ".")))
    return Found([os.fsencode(path) for path in names if path.lower().endswith(TABLES)])


def check_columns(place: Place, path: bytes, path_column: str, bytes_column: str) -> None:
    """Checks that a file has the columns.

    Raises:
        UsageError: It has not, or cannot be read.
    """
    file = name_file(place, path)[1].decode("utf-8", "replace")
    try:
        with place.files.open_input_file(os.fsdecode(path)) as source:
            schema = parquet.read_schema(source)
    except (OSError, ArrowException) as error:
        raise UsageError(f"{file}: cannot be read ({describe_error(error)})") from None
    for column, option in ((path_column, "--path-column"), (bytes_column, "--bytes-column")):
        if column not in schema.names:
            raise UsageError(
                f"{file}: has no column {column!r} ({option}); its columns are "
                f"{', '.join(schema.names)}"
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
            with place.files.open_input_file(os.fsdecode(path)) as source:
                stored = parquet.ParquetFile(source)
                for batch in stored.iter_batches(_ROWS, columns=list(columns)):
                    for name, data in zip(*(batch[column] for column in columns), strict=True):
                        shown, content = encode_path(name.as_py()), data.as_py()
                        size = None if content is None else len(content)
                        yield Picture(shown, shown, size, content)
        except (ArrowException, KeyError) as error:
            problem = f"the Parquet file cannot be read ({describe_error(error)}); write it again"
            yield Picture(uri, file, None, problem=problem)
        except OSError as error:
            why = f"the Parquet file cannot be read at present ({describe_error(error)})"
            yield Picture(uri, file, None, fault=why)

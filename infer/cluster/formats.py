"""The formats of inputs, and the names by which they are known."""

from __future__ import annotations

from typing import Literal

Format = Literal["pictures", "tar", "parquet"]
"""The kind of files of an input."""

TARS = (".tar", ".tar.gz", ".tgz")
"""The ends of the names of tar archives, in lower case."""

TABLES = ".parquet"
"""The end of the names of Parquet files, in lower case."""


def guess_format(path: str) -> Format:
    """Returns the format of an input by its name."""
    path = path.lower()
    if path.endswith(TARS):
        return "tar"
    return "parquet" if path.endswith(TABLES) else "pictures"

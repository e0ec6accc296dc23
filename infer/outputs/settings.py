"""The options of a run that its outputs depend on."""

from pathlib import Path
from typing import Literal, NamedTuple

Rows = Literal["pictures", "faces"]

STANDARD_OUTPUT = Path("-")
"""The path that stands for standard output."""

COPY_SIDE = 640
"""Longest side of an annotated copy in pixels, unless another is given."""


class OutputSettings(NamedTuple):
    """The options of a run that its outputs depend on.

    Attributes:
        pictures: The input folder.
        rows: What a table has a row for: each picture, or each face.
        csv_bom: Whether CSV tables begin with a byte order mark, which Excel needs for UTF-8.
        annotate_size: Longest side of an annotated copy in pixels.
    """

    pictures: Path = Path()
    rows: Rows = "pictures"
    csv_bom: bool = False
    annotate_size: int = COPY_SIDE


DEFAULTS = OutputSettings()

"""The options of a run that its outputs depend on, and the suffixes of their files."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

Rows = Literal["pictures", "faces"]

STANDARD_OUTPUT = Path("-")
"""The path that stands for standard output."""

XML_SUFFIX, COPY_SUFFIX, XMP_SUFFIX = ".xml", ".jpg", ".xmp"
"""Suffixes of the files that outputs write for each picture."""

CORRECTIONS_NAME = "corrections.csv"
"""Name of the file in the folder of XML files in which a review saves corrections."""

COPY_SIDE = 640
"""Longest side of an annotated copy in pixels, unless another is given."""

THUMBNAIL_SIDE = 256
"""Longest side of a thumbnail on the page of the review and of the report, in pixels."""

Facts = tuple[tuple[str, str], ...]
"""Names and values in words, in the order to show them."""


class OutputSettings(NamedTuple):
    """The options of a run that its outputs depend on.

    Attributes:
        pictures: The input folder.
        rows: What a table has a row for: each picture, or each face.
        csv_bom: Whether CSV tables begin with a byte order mark, which Excel needs for UTF-8.
        annotate_size: Longest side of an annotated copy in pixels.
        describe_run: Returns the settings of the run, for a report.
    """

    pictures: Path = Path()
    rows: Rows = "pictures"
    csv_bom: bool = False
    annotate_size: int = COPY_SIDE
    describe_run: Callable[[], Facts] = tuple


DEFAULTS = OutputSettings()

"""The registry of outputs: one entry for each kind of output that a run can write.

To add an output, write a module in this folder with a function `open_output(path, settings)`, which
returns an `Output`, and add its entry to `OUTPUTS`. The command's option, help and checks are
generated from the entry. `--help` loads this module, so each output module is imported only when
the output is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from image_gender_classifier.outputs.settings import (
    COPY_SUFFIX,
    STANDARD_OUTPUT,
    XML_SUFFIX,
    XMP_SUFFIX,
)

if TYPE_CHECKING:
    from image_gender_classifier.outputs.naming import PictureFile
    from image_gender_classifier.outputs.output import Output
    from image_gender_classifier.outputs.settings import OutputSettings


Drawing = Literal["copy", "thumbnail", "stored"]
"""A field of `results.Drawings`."""


class Entry(NamedTuple):
    """A kind of output that the command offers.

    Attributes:
        name: Unique name, for log messages and the parser.
        options: Option strings, such as `("--csv",)`; error messages use the first.
        metavar: Placeholder of the option's value in `--help`.
        help: Help text of the option.
        kind: `file`: one file for the whole run, which must be complete when the run ends;
            `folder`: one file for each picture in an existing folder.
        open_output: Opens the output at a path, for the settings of a run; raises `OutputError` if
            that fails.
        suffix: Suffix of each file in a folder, at most four characters; empty for a file.
        keeps_extension: Whether the suffix follows the extension of the picture, instead of
            replacing it.
        in_subfolders: Whether the files are pictures in subfolders of the folder, by prediction.
        drawing: What the output needs in `Row.drawings` of every decoded picture; None if it needs
            nothing.
        files_beside: Whether the folder `NAME_files` beside the file belongs to the output.
        required: Whether a run must have the output to write any other file.
        streams: Whether a file may be `STANDARD_OUTPUT`.
    """

    name: str
    options: tuple[str, ...]
    metavar: str
    help: str
    kind: Literal["file", "folder"]
    open_output: Callable[[Path, OutputSettings], Output]
    suffix: str = ""
    keeps_extension: bool = False
    in_subfolders: bool = False
    drawing: Drawing | None = None
    files_beside: bool = False
    required: bool = False
    streams: bool = False


class Target(NamedTuple):
    """An output that a run writes, chosen by an option.

    Attributes:
        entry: The kind of output.
        path: The file or folder to write, or `STANDARD_OUTPUT`.
    """

    entry: Entry
    path: Path

    @property
    def is_file(self) -> bool:
        """Whether the output is a file, other than standard output, for the whole run."""
        return self.entry.kind == "file" and not self.is_streamed

    @property
    def is_streamed(self) -> bool:
        """Whether the output is standard output."""
        return self.entry.streams and self.path == STANDARD_OUTPUT

    @property
    def option(self) -> str:
        """The option that sets the path, such as `--csv`."""
        return self.entry.options[0]

    def output_path(self, picture: PictureFile) -> str:
        """Returns the path of a picture's file, relative to the folder or a subfolder of it."""
        if self.entry.keeps_extension:
            return picture.full + self.entry.suffix
        return picture.output_path(self.entry.suffix)


def list_output_folders(targets: tuple[Target, ...]) -> list[Path]:
    """Returns the folders of the outputs that write one file per picture."""
    return [target.path for target in targets if target.entry.kind == "folder"]


def needs_drawing(targets: tuple[Target, ...], drawing: Drawing) -> bool:
    """Returns whether any of the outputs needs a drawing of a kind (see `Entry.drawing`)."""
    return any(target.entry.drawing == drawing for target in targets)


def _open_from_module(name: str) -> Callable[[Path, OutputSettings], Output]:
    """Returns a function that imports an output module and calls its `open_output`."""

    def open_output(path: Path, settings: OutputSettings) -> Output:
        from importlib import import_module

        output: Output = import_module(f"{__package__}.{name}").open_output(path, settings)
        return output

    return open_output


OUTPUTS: tuple[Entry, ...] = (
    Entry(
        "xml", ("-o", "--output"), "DIR", "existing folder for one XML file per picture",
        "folder", _open_from_module("xml_folder"), XML_SUFFIX, required=True,
    ),
    Entry(
        "csv", ("--csv",), "FILE",
        "also write a CSV table with one row per picture; -: to standard output",
        "file", _open_from_module("csv"), streams=True,
    ),
    Entry(
        "jsonl", ("--jsonl",), "FILE",
        "also write one JSON object per picture, one per line; -: to standard output",
        "file", _open_from_module("jsonl"), streams=True,
    ),
    Entry(
        "parquet", ("--parquet",), "FILE",
        "also write an Apache Parquet table; needs the package pyarrow",
        "file", _open_from_module("parquet"),
    ),
    Entry(
        "annotate", ("--annotate",), "DIR",
        "also write a copy of each picture with face boxes and predictions drawn on it into this "
        "existing folder",
        "folder", _open_from_module("annotated_folder"), COPY_SUFFIX, drawing="copy",
    ),
    Entry(
        "xmp", ("--xmp",), "DIR",
        "also write an XMP sidecar with face regions and a keyword for each picture into this "
        "existing folder, or merge them into the sidecar there; may be the folder of pictures",
        "folder", _open_from_module("xmp_folder"), XMP_SUFFIX, keeps_extension=True,
        drawing="stored",
    ),
    Entry(
        "sort", ("--sort-into",), "DIR",
        "also link each picture (copy it where hard links are impossible) into the folder female, "
        "male, unknown or no_face in this existing folder",
        "folder", _open_from_module("sorted_folder"), keeps_extension=True, in_subfolders=True,
    ),
    Entry(
        "report", ("--report",), "FILE",
        "also write an HTML page with all pictures, counts and settings of the run, and a folder "
        "of its thumbnails next to it",
        "file", _open_from_module("report"), drawing="thumbnail", files_beside=True,
    ),
)  # fmt: skip

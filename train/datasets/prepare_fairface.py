"""Creates this project's subset of FairFace from the published archive.

The project contains only the names of the pictures. The archive is
`fairface-img-margin025-trainval.zip` of https://github.com/joojs/fairface (folders `train/` and
`val/`, 224 x 224 pixels), unpacked, with `fairface_label_train.csv` and `fairface_label_val.csv`
beside the two folders.

The pictures are shrunk to 128 x 128 pixels by averaging areas and saved as JPEG of quality 80, the
quality of the training pictures of the shipped models.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from image_gender_classifier.errors import OutputError, UnreadablePicture
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.common.command import Parser, exit_code, say
from image_gender_classifier.train.datasets.fairface import PARTS, checked_name, label_file
from image_gender_classifier.train.datasets.labels_csv import Table, read_table
from image_gender_classifier.train.datasets.listing import pictures_in
from image_gender_classifier.train.datasets.reading import DataError

PROGRAM = "image-gender-prepare-fairface"
INCOMPLETE = 1
NAMES_FILE = Path(__file__).with_name("fairface_names.txt")
ARCHIVE_SIDE = 224
SIDE = 128
JPEG_QUALITY = 80
PROGRESS_EVERY = 5000


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        0 when the subset is complete, 1 when the archive lacks some of its pictures or labels, 2
        for wrong usage or a wrong archive, 3 when the output cannot be written, 130 when
        interrupted (finished pictures are kept).
    """
    missing: list[str] = []
    code = exit_code(PROGRAM, lambda: missing.extend(_run(_parser().parse_args(argv))))
    return INCOMPLETE if missing else code


def _run(arguments: argparse.Namespace) -> list[str]:
    """Creates the subset, prints the result and gives the missing names."""
    missing = prepare(arguments.archive, arguments.out, read_names(arguments.names))
    if missing:
        say(
            f"{PROGRAM}: {len(missing):,} pictures are missing in {arguments.archive} or have no "
            f"label, the first is {missing[0]}; add them and run this again",
            sys.stderr,
        )
    else:
        say(f"{arguments.out}: complete", sys.stdout)
    return missing


def read_names(path: Path) -> list[str]:
    """Reads the names of the subset's pictures, one per line, as in the label files.

    Raises:
        DataError: The file cannot be read, is empty or has a name outside the folder.
    """
    try:
        lines = read_document(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot read the list of names: {error}") from error
    names = [checked_name(path, row, line) for row, line in enumerate(lines, start=1) if line]
    if not names:
        raise DataError(f"{path}: expected names of pictures, found none")
    return names


def prepare(archive: Path, out: Path, names: Sequence[str]) -> list[str]:
    """Creates the named pictures and the label files; keeps those of an earlier run.

    Writes the label files last, with existing pictures only, so `out` is always readable.

    Args:
        archive: The unpacked archive.
        out: Folder of the subset; created if missing.
        names: Names as in the label files' column `file`.

    Returns:
        The names without a picture or a row in a label file, in the order of `names`.

    Raises:
        DataError: The archive is damaged, another release, or the same folder as `out`.
        OutputError: `out` cannot be written.
    """
    if out.resolve() == archive.resolve():
        raise DataError(f"{out}: expected another folder than the archive, whose labels stay whole")
    tables = [(part, read_table(label_file(archive, part))) for part in PARTS]
    labelled = {fields[table.column("file")] for _, table in tables for _, fields in table.rows}
    made = _make_pictures(archive, out, [name for name in names if name in labelled])
    for part, table in tables:
        _write(label_file(out, part), _filtered_csv(table, made))
    return [name for name in names if name not in made]


def _make_pictures(archive: Path, out: Path, names: Sequence[str]) -> set[str]:
    """Creates the pictures; gives the names of all that exist in `out` afterwards."""
    sources = _present(archive, names)
    # A power cut can leave an empty file.
    made = {name for name in _present(out, names) if (out / name).stat().st_size}
    for count, name in enumerate(names, start=1):
        if name in sources and name not in made:
            _write(out / name, shrink(archive / name))
            made.add(name)
        if count % PROGRESS_EVERY == 0:
            say(f"{count:,} of {len(names):,} pictures", sys.stderr)
    return made


def _present(root: Path, names: Iterable[str]) -> set[str]:
    """Gives the names that exist as pictures in a folder."""
    wanted = set(names)
    prefixes = {name[: name.rfind("/") + 1] for name in wanted}
    return wanted.intersection(
        prefix + picture for prefix in prefixes for picture in pictures_in(root / prefix)
    )


def shrink(path: Path) -> bytes:
    """Converts a picture of the archive to a JPEG of the subset.

    Raises:
        DataError: The file is not a picture, or does not have the archive's size.
    """
    try:
        data = np.frombuffer(read_bytes(path), np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except UnreadablePicture as error:
        raise DataError(f"{path}: {error}") from error
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DataError(f"{path}: expected a JPEG, the file is damaged; unpack it again")
    height, width = pixels.shape[:2]
    if (height, width) != (ARCHIVE_SIDE, ARCHIVE_SIDE):
        raise DataError(
            f"{path}: is {width} x {height} pixels, expected {ARCHIVE_SIDE} x {ARCHIVE_SIDE}; "
            "take the archive with margin 0.25 (fairface-img-margin025-trainval.zip)"
        )
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def _filtered_csv(table: Table, names: set[str]) -> bytes:
    """Formats the rows of these names with all columns, in the published order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.header)
    file = table.column("file")
    writer.writerows(fields for _, fields in table.rows if fields[file] in names)
    return text.getvalue().encode("utf-8")


def _write(path: Path, data: bytes) -> None:
    """Writes a file atomically and creates its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be created ({error.strerror})") from None
    write_whole(path, data)


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Makes the subset of FairFace that the models learn from (128 x 128 pixels).",
    )
    parser.add_argument(
        "--archive",
        type=Path,
        required=True,
        metavar="DIR",
        help="the unpacked archive with margin 0.25: train/, val/ and the two label files",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the subset"
    )
    parser.add_argument(
        "--names",
        type=Path,
        default=NAMES_FILE,
        metavar="FILE",
        help="file with names of pictures, one per line (default: the subset of this project)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

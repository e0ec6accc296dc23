"""The command `image-gender-prepare-fairface`: creates this project's subset of FairFace.

The project contains only the names of the pictures. The command reads the published archive,
`fairface-img-margin025-trainval.zip` of https://github.com/joojs/fairface (folders `train/` and
`val/`, 224 x 224 pixels), unpacked, with `fairface_label_train.csv` and `fairface_label_val.csv`
beside the two folders.

The pictures are shrunk to 128 x 128 pixels by area averaging and saved as JPEG of quality 80. The
shipped models were trained on these files.
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
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.common.command import Parser, print_line, run_with_exit_code
from image_gender_classifier.train.datasets.fairface import (
    PARTS,
    check_picture_name,
    label_file_path,
)
from image_gender_classifier.train.datasets.labels_csv import Table, read_table
from image_gender_classifier.train.datasets.listing import list_folder_pictures
from image_gender_classifier.train.datasets.reading import DataError

PROGRAM = "image-gender-prepare-fairface"
INCOMPLETE = 1  # exit code
NAMES_FILE = Path(__file__).with_name("fairface_names.txt")
ARCHIVE_SIDE = 224  # pixels
SIDE = 128  # pixels
JPEG_QUALITY = 80
PROGRESS_EVERY = 5000  # pictures


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-prepare-fairface`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code: 0 if the subset is complete, 1 if pictures or labels are missing in the
        archive, 2 for wrong usage or a wrong archive, 3 if the output cannot be written, 129 after
        SIGHUP, 130 after SIGINT, 143 after SIGTERM (the next run keeps finished pictures).
    """
    missing: list[str] = []
    code = run_with_exit_code(PROGRAM, lambda: missing.extend(_run(_parser().parse_args(argv))))
    return INCOMPLETE if missing else code


def _run(arguments: argparse.Namespace) -> list[str]:
    """Creates the subset, prints the result and returns the names of the missing pictures."""
    missing = prepare_subset(arguments.archive, arguments.out, read_picture_names(arguments.names))
    if missing:
        print_line(
            f"{PROGRAM}: --archive {arguments.archive}: pictures or their labels are missing "
            f"({len(missing):,}, the first is {missing[0]}); unpack the archive again and repeat "
            "this command",
            sys.stderr,
        )
    else:
        print_line(f"{arguments.out}: complete", sys.stdout)
    return missing


def read_picture_names(path: Path) -> list[str]:
    """Reads the names of the subset's pictures from a text file, one name per line.

    Returns:
        At least one name, as in the `file` column of the label files, such as "train/1.jpg".

    Raises:
        DataError: The file cannot be read, contains no names, or contains a name that is not a
            relative path.
    """
    try:
        lines = read_document(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: the list of picture names cannot be read ({error}); check --names"
        ) from error
    names = [check_picture_name(path, row, line) for row, line in enumerate(lines, start=1) if line]
    if not names:
        raise DataError(f"{path}: the file contains no picture names; expected one per line")
    return names


def prepare_subset(archive: Path, out: Path, names: Sequence[str]) -> list[str]:
    """Creates the pictures and the label files of the subset; keeps pictures from an earlier run.

    Writes the label files after the pictures, and lists only existing pictures in them, so an
    interrupted run leaves no label without a picture.

    Args:
        archive: Folder of the unpacked archive.
        out: Folder of the subset; created if missing.
        names: Names as in the `file` column of the label files.

    Returns:
        The names without a picture or without a row in a label file, in the order of `names`; an
        empty list if the subset is complete.

    Raises:
        DataError: A label file is missing or invalid, a folder cannot be read, a picture is corrupt
            or does not have 224 x 224 pixels, or `archive` and `out` are the same folder.
        OutputError: `out` cannot be written to.
    """
    if out.resolve() == archive.resolve():
        raise DataError(f"--out {out}: this is the folder of the archive; use another folder")
    tables = [(part, read_table(label_file_path(archive, part))) for part in PARTS]
    labelled = {fields[table.column("file")] for _, table in tables for _, fields in table.rows}
    existing = _make_pictures(archive, out, [name for name in names if name in labelled])
    for part, table in tables:
        _write_file(label_file_path(out, part), _format_filtered_csv(table, existing))
    return [name for name in names if name not in existing]


def _make_pictures(archive: Path, out: Path, names: Sequence[str]) -> set[str]:
    """Creates the pictures that `out` lacks; returns the names that then exist in `out`.

    Args:
        archive: Folder of the unpacked archive.
        out: Folder of the subset.
        names: Names that have a row in a label file.

    Raises:
        DataError: A folder cannot be read, or a picture is corrupt or has another size.
        OutputError: `out` cannot be written to.
    """
    sources = _find_existing(archive, names)
    # A power cut can leave an empty file.
    existing = {name for name in _find_existing(out, names) if (out / name).stat().st_size}
    for count, name in enumerate(names, start=1):
        if name in sources and name not in existing:
            _write_file(out / name, shrink_to_jpeg(archive / name))
            existing.add(name)
        if count % PROGRESS_EVERY == 0:
            print_line(f"{count:,} of {len(names):,} pictures", sys.stderr)
    return existing


def _find_existing(root: Path, names: Iterable[str]) -> set[str]:
    """Returns the names whose picture exists in `root`; does not read the pictures."""
    wanted = set(names)
    prefixes = {name[: name.rfind("/") + 1] for name in wanted}
    return wanted.intersection(
        prefix + picture for prefix in prefixes for picture in list_folder_pictures(root / prefix)
    )


def shrink_to_jpeg(path: Path) -> bytes:
    """Downscales a picture of the archive and encodes it as a JPEG file of the subset.

    Args:
        path: The picture, 224 x 224 pixels.

    Returns:
        Content of the JPEG file, 128 x 128 pixels.

    Raises:
        DataError: The file cannot be read or decoded, or has another size.
    """
    try:
        data = np.frombuffer(read_bytes(path), np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except UnreadablePicture as error:
        raise DataError(f"{path}: {error}") from error
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DataError(f"{path}: the picture is corrupt; unpack the archive again")
    height, width = pixels.shape[:2]
    if (height, width) != (ARCHIVE_SIDE, ARCHIVE_SIDE):
        raise DataError(
            f"{path}: the picture has {width} x {height} pixels, expected {ARCHIVE_SIDE} x "
            f"{ARCHIVE_SIDE}; use the "
            "archive with margin 0.25 (fairface-img-margin025-trainval.zip)"
        )
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def _format_filtered_csv(table: Table, names: set[str]) -> bytes:
    """Serialises a label file as UTF-8 CSV: its header, and the rows of pictures in `names`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.header)
    file = table.column("file")
    writer.writerows(fields for _, fields in table.rows if fields[file] in names)
    return text.getvalue().encode("utf-8")


def _write_file(path: Path, data: bytes) -> None:
    """Writes a file atomically; creates its folder if missing.

    Raises:
        OutputError: The folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: the folder cannot be created ({error.strerror}); check --out"
        ) from None
    write_atomic(path, data)


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Creates the subset of FairFace that the shipped models were trained on "
        "(128 x 128 pixels).",
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
        help="file with picture names, one per line (default: the subset of this project)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The export formats TFLite and ONNX, and the option `--formats`."""

from __future__ import annotations

import argparse
from typing import Literal, get_args

Format = Literal["tflite", "onnx"]
FORMATS: tuple[Format, ...] = get_args(Format)
TITLES: dict[Format, str] = {"tflite": "TFLite", "onnx": "ONNX"}


def add_formats_option(parser: argparse.ArgumentParser) -> None:
    """Adds the option `--formats` to a parser."""
    parser.add_argument(
        "--formats", type=_parse_formats, default=FORMATS, metavar="LIST",
        help=f"comma-separated formats to publish: {','.join(FORMATS)} (default: both); a format "
        "that fails verification is skipped with a warning",
    )  # fmt: skip


def _parse_formats(text: str) -> tuple[Format, ...]:
    """Parses the value of `--formats`; returns the formats without duplicates, TFLite first.

    Raises:
        argparse.ArgumentTypeError: A format is unknown.
    """
    wanted = text.split(",")
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown format {unknown[0]!r}; expected {' or '.join(FORMATS)}"
        )
    return tuple(name for name in FORMATS if name in wanted)

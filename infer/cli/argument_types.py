"""Parses the values of command-line options, for argparse."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

from image_gender_classifier.outputs.settings import STANDARD_OUTPUT
from image_gender_classifier.settings import MOST_BYTES, MOST_PIXELS, SMALLEST_FACE

MIN_COPY_SIDE, MAX_COPY_SIDE = 64, 2048
"""Smallest and largest longest side of annotated copies in pixels."""


class Once(argparse.Action):
    """Stores the value of an option that may be given only once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Stores the value.

        Raises:
            ArgumentError: The option was given before.
        """
        del parser, option_string
        if getattr(namespace, self.dest) is not None:
            raise argparse.ArgumentError(self, "may be given only once")
        setattr(namespace, self.dest, values)


def parse_probability(text: str) -> float:
    """Parses a number from 0 to 1; raises `ArgumentTypeError` for anything else."""
    with suppress(ValueError):
        value = float(text)
        if 0 <= value <= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not valid; give a number from 0 to 1")


def parse_min_face(text: str) -> float:
    """Parses the value of `--min-face`: a fraction of the picture's shorter side.

    Raises:
        ArgumentTypeError: The text is not a number from `SMALLEST_FACE` to 1.
    """
    with suppress(ValueError):
        value = float(text)
        if SMALLEST_FACE <= value <= 1:
            return value
    raise argparse.ArgumentTypeError(
        f"{text!r} is not valid; give a number from {SMALLEST_FACE} to 1"
    )


def parse_folder(text: str) -> Path:
    """Parses the path of a folder; raises `ArgumentTypeError` if it is empty."""
    if not text:  # an unset variable in a script; Path would make it the current folder
        raise argparse.ArgumentTypeError("the folder name is empty; give . for the current folder")
    return Path(text)


def parse_file(text: str) -> Path:
    """Parses the path of a file; `STANDARD_OUTPUT` only for `-` itself."""
    path = Path(text)
    return path if text == str(STANDARD_OUTPUT) or path != STANDARD_OUTPUT else path.absolute()


def parse_pixels(text: str) -> int:
    """Parses a number of pixels up to `MOST_PIXELS`; raises `ArgumentTypeError` otherwise."""
    return _parse_up_to(MOST_PIXELS, text)


def parse_bytes(text: str) -> int:
    """Parses a number of bytes up to `MOST_BYTES`; raises `ArgumentTypeError` otherwise."""
    return _parse_up_to(MOST_BYTES, text)


def _parse_up_to(most: int, text: str) -> int:
    value = parse_positive(text)
    if value > most:
        raise argparse.ArgumentTypeError(f"{text!r} is not valid; give at most {most}")
    return value


def parse_copy_side(text: str) -> int:
    """Parses the longest side of annotated copies; raises `ArgumentTypeError` for bad values."""
    with suppress(ValueError):
        value = int(text)
        if MIN_COPY_SIDE <= value <= MAX_COPY_SIDE:
            return value
    raise argparse.ArgumentTypeError(
        f"{text} is not a whole number from {MIN_COPY_SIDE} to {MAX_COPY_SIDE}"
    )


def parse_positive(text: str) -> int:
    """Parses a whole number of at least 1; raises `ArgumentTypeError` for anything else."""
    with suppress(ValueError):
        value = int(text)
        if value >= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not valid; give a whole number of at least 1")

"""Divides the pictures of a run among job array tasks, which need no coordinator (`--shard`)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.errors import UsageError
from image_gender_classifier.listing import Listing
from image_gender_classifier.outputs.naming import PictureFile

VARIABLE = "SHARD"
"""Environment variable that stands for the option `--shard`."""

_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


class Shard(NamedTuple):
    """One part of the pictures.

    Attributes:
        number: Number of the part, from 1.
        parts: Number of parts.
    """

    number: int
    parts: int

    @property
    def label(self) -> str:
        """Name of the part in file names, such as `03-of-16`; sorts by number."""
        return f"{self.number:0{len(str(self.parts))}}-of-{self.parts}"

    def has(self, file: str) -> bool:
        """Returns whether a picture belongs to the part.

        Depends on the bytes of the path alone, so that all machines agree, and a picture stays in
        its part when others are added.

        Args:
            file: Path of the picture, relative to the input folder.
        """
        if self.parts == 1:
            return True
        digest = hashlib.sha256(os.fsencode(file)).digest()
        return int.from_bytes(digest[:8], "big") % self.parts == self.number - 1


def read_shard(option: str | None) -> Shard | None:
    """Returns the part that the option or the environment variable asks for; None for all pictures.

    Args:
        option: Value of `--shard`; None to use the variable, which may be empty.

    Raises:
        UsageError: The value is not K/N with K from 1 to N.
    """
    source, text = "--shard", option
    if text is None:
        source, text = f"the environment variable {VARIABLE}:", os.environ.get(VARIABLE)
        if not text:
            return None
    found = _FORM.fullmatch(text)
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or not 1 <= shard.number <= shard.parts:
        raise UsageError(
            f"{source} {text!r} is not valid; give K/N with K from 1 to N, such as 3/16"
        )
    return shard


def name_part(path: Path, shard: Shard) -> Path:
    """Returns the path of a part's table: `all.csv` becomes `all-03-of-16.csv`."""
    return path.with_name(f"{path.stem}-{shard.label}{path.suffix}")


def count_pictures(listing: Listing, shard: Shard) -> int:
    """Returns the number of pictures of a part."""
    return sum(map(shard.has, listing.files))


def list_part(listing: Listing, shard: Shard) -> Iterator[PictureFile]:
    """Returns the pictures of a part, in the order of the listing.

    Their output files have the names that they get in a run over all pictures.
    """
    return (picture for picture in listing.pictures if shard.has(picture.file))

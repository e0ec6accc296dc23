"""Writes the contact sheet: an HTML page with thumbnails of the pictures to review.

The thumbnails are embedded as data URLs, so the page is a single file.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path

from image_gender_classifier.outputs.escaping import escape_name
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.settings import DEFAULTS, OutputSettings
from image_gender_classifier.outputs.table import Table
from image_gender_classifier.outputs.xml import format_probability
from image_gender_classifier.results import Prediction

_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pictures to check</title>
<style>
  body { font: 14px sans-serif; margin: 16px; background: #eee; color: #111 }
  main { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-end }
  figure { margin: 0; max-width: 256px }
  img { display: block }
  figcaption { overflow-wrap: anywhere; padding-top: 2px }
</style>
<h1>Pictures to check</h1>
<p>Uncertain: the confidence is below the threshold. No face: no face was detected.</p>
<main>
"""
_FOOT = "</main>\n</html>\n"


class ContactSheet(Table):
    """An HTML page with a figure for each picture whose row has a thumbnail.

    Args:
        path: Path of the page.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, _format_figure, _HEAD.encode(), _FOOT.encode)

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:  # noqa: ARG002
        """Returns whether the page omits the picture; otherwise its thumbnail is drawn again.

        See `Output.can_reuse`.
        """
        return not prediction.needs_review


def _format_figure(row: Row) -> bytes:
    """Encodes a row as an HTML figure; `b""` if it has no thumbnail."""
    if row.drawings.thumbnail is None:
        return b""
    prediction = row.prediction
    caption = prediction.status.replace("_", " ")
    if prediction.confidence is not None:
        caption += f" ({format_probability(prediction.confidence)})"
    data = b64encode(row.drawings.thumbnail).decode("ascii")
    name = escape(escape_name(prediction.file))
    return (
        f'<figure><img alt="" loading="lazy" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{name}<br>{caption}</figcaption></figure>\n"
    ).encode()


def open_output(path: Path, _: OutputSettings = DEFAULTS) -> ContactSheet:
    """Opens the output; exceptions as for `ContactSheet`."""
    return ContactSheet(path)

"""Writes the review as files that need no server (`--html`)."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.outputs.corrections import read_corrections
from image_gender_classifier.outputs.page.data import PageItem, PageSettings
from image_gender_classifier.outputs.page.static import StaticPage, make_folder_url
from image_gender_classifier.results import Preview
from image_gender_classifier.review.items import Reviewed, check_pictures, make_title, read_items
from image_gender_classifier.review.parser import Options
from image_gender_classifier.review.previews import MISSING, draw_all


def write_files(options: Options) -> str:
    """Writes the page and its thumbnails.

    Args:
        options: The options of the command, with the path of the page.

    Returns:
        A summary for the user.

    Raises:
        UsageError: A folder or the file of corrections cannot be used.
        OutputError: A file cannot be written.
    """
    items = read_items(options.output)
    check_pictures(options.input, items)
    corrections = read_corrections(options.corrections) if options.corrections.exists() else {}
    html = cast(Path, options.html)
    page = StaticPage(html)
    missing = 0
    files = [item.prediction.file for item in items]
    previews = draw_all(options.input, files, options.workers, options.debug)
    with Progress(len(items), not options.quiet) as progress:
        for item, preview in zip(items, previews, strict=True):
            missing += preview.message == MISSING
            page.add(make_item(item, preview), item.read_xml(), preview.jpeg or None)
            progress.advance()
    settings = PageSettings(
        make_title(options.input), pictures=make_folder_url(options.input, html)
    )
    page.close(settings, corrections)
    summary = f"{len(items):,} picture{'s' * (len(items) != 1)}: open {html} in a browser"
    return f"{summary}; {missing:,} of them are missing" if missing else summary


def make_item(item: Reviewed, preview: Preview) -> PageItem:
    """Returns a picture as the page shows it."""
    missing = preview.message == MISSING
    size = preview.width, preview.height
    hashes = preview.picture, preview.file_hash
    return PageItem(item.prediction, *size, hashes[0], preview.message, missing, hashes[1])

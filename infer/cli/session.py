"""Common parts of a folder run and a watched folder: the list of pictures and messages about it."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.placing import choose_output_names
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.naming import NameRules
from image_gender_classifier.outputs.registry import list_output_folders
from image_gender_classifier.scan import Listing, Unread, list_pictures
from image_gender_classifier.system import logs


def scanned(options: Options, rules: NameRules) -> Listing:
    """Lists the pictures of the input folder, without those in output folders.

    Args:
        options: The options of the run.
        rules: The names that the output folders accept (see `detect_name_rules`).

    Returns:
        The pictures, with the names of their XML files.

    Raises:
        UsageError: The folder cannot be read.
    """
    skip = list_output_folders(options.outputs)
    found = list_pictures(options.input, options.recursive, skip, options.hidden)
    (xml,) = (target.path for target in options.outputs if target.entry.required)
    listing = choose_output_names(found, options.input, xml, rules)
    logs.debug(
        "found %d pictures in %d folders of %s",
        listing.total,
        len(listing.folders),
        options.input,
    )
    return listing


def unread_message(folder: Path, unread: Unread) -> str:
    """Returns the message for a subfolder that cannot be read."""
    return (
        f"{escape_text(str(folder / unread.path))!r}: the folder cannot be read ({unread.reason}); "
        "its pictures are skipped"
    )


def rewritten_message(file: str, xml: str) -> str:
    """Returns the message for an XML file that could not get its usual name."""
    return f"{escape_text(file)!r}: the XML file is called {escape_text(xml)!r}"

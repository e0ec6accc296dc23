"""Lists the pictures of the input folder and formats messages, for single runs and `--watch`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.placing import choose_output_names
from image_gender_classifier.cli.subfolders import suggest_recursive
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.listing import Listing, Unread
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.naming import NameRules
from image_gender_classifier.outputs.registry import list_output_folders
from image_gender_classifier.outputs.settings import CORRECTIONS_NAME
from image_gender_classifier.scan import list_pictures
from image_gender_classifier.system import logs

if TYPE_CHECKING:
    from image_gender_classifier.cli.corrections import CorrectionSet


def open_corrections(options: Options) -> CorrectionSet | None:
    """Reads the file of `--corrections`; returns None without that option.

    Raises:
        UsageError: The file cannot be read, or a row is wrong.
    """
    if options.corrections is None:
        return None
    from image_gender_classifier.cli.corrections import CorrectionSet
    from image_gender_classifier.outputs.corrections import read_corrections

    found = read_corrections(options.corrections)
    return CorrectionSet(options.input, Limits.from_settings(options.settings), found)


def suggest_corrections(options: Options) -> str:
    """Returns a message that suggests `--corrections` if a review has saved some, otherwise ""."""
    if options.corrections is None:
        for folder in list_output_folders(options.outputs):
            saved = folder / CORRECTIONS_NAME
            with suppress(OSError):
                if saved.is_file():
                    return (
                        f"{saved} was not applied; with --corrections {saved}, pictures that were "
                        "moved keep their reviews"
                    )
    return ""


def list_input_pictures(options: Options, rules: NameRules) -> Listing:
    """Lists the pictures of the input folder and, with `--recursive`, of its subfolders.

    Output folders inside the input folder are skipped. With `--list`, reads the list instead.

    Args:
        options: The options of the run.
        rules: The names that the output folders accept (see `detect_name_rules`).

    Returns:
        The pictures with the names of their XML files, the number of other files, and the
        subfolders that cannot be read.

    Raises:
        UsageError: The input folder or the list cannot be read.
    """
    if options.picture_list is None:
        skip = list_output_folders(options.outputs)
        found = list_pictures(options.input, options.recursive, skip, options.hidden)
    else:
        from image_gender_classifier.cli.picture_list import list_named_pictures  # rarely needed

        found = list_named_pictures(options.picture_list, options.input, options.null)
    (xml,) = (target.path for target in options.outputs if target.entry.required)
    in_full = any(target.entry.keeps_extension for target in options.outputs)
    listing = choose_output_names(found, options.input, xml, rules, in_full)
    logs.debug(
        "found %d pictures in %d folders of %s",
        listing.total,
        len(listing.folders),
        options.input,
    )
    return listing


def format_unread(folder: Path, unread: Unread) -> str:
    """Formats the message about a subfolder or file that cannot be read completely.

    Args:
        folder: The input folder.
        unread: The subfolder or file.
    """
    return (
        f"{escape_text(str(folder / unread.path))!r}: the {unread.kind} cannot be read "
        f"({unread.reason}); {'it is' if unread.kind == 'file' else 'its pictures are'} skipped"
    )


def describe_skipped_links(folder: Path, listing: Listing) -> list[str]:
    """Returns messages about symbolic links behind which a user may expect pictures.

    Args:
        folder: The input folder.
        listing: Its pictures.
    """
    kinds = (
        (listing.broken_links, "nowhere", "check the targets"),
        (listing.folder_links, "to folders, which are not followed", "classify each by itself"),
    )
    return [
        f"{len(links):,} symbolic link{'s' * (len(links) > 1)}, such as "
        f"{escape_text(str(folder / links[0]))!r}, lead{'s' * (len(links) == 1)} {where}; {remedy}"
        for links, where, remedy in kinds
        if links
    ]


def format_no_picture(folder: Path, listing: Listing, options: Options) -> str:
    """Formats the message about a folder without pictures."""
    hint = suggest_recursive(folder, options)
    if not hint and listing.ignored:
        hint = (
            "--verbose lists the ignored files; --hidden includes system junk and partial downloads"
        )
    elif not (hint or options.recursive):
        hint = "add --recursive to search its subfolders too"
    return f"{folder}: no picture in this folder{hint and '; '}{hint}"


def format_renamed(file: str, xml: str) -> str:
    """Formats the message about a picture whose XML file does not have its usual name.

    Args:
        file: Path of the picture, relative to the input folder.
        xml: Path of its XML file, relative to the output folder.
    """
    return f"{escape_text(file)!r}: the XML file is called {escape_text(xml)!r}"

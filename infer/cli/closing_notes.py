"""Prints what a user should know after a run over a folder, before its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from image_gender_classifier.cli import input_pictures
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.subfolders import suggest_recursive
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.xml_folder import XmlFolder

if TYPE_CHECKING:
    from image_gender_classifier.cli.corrections import CorrectionSet


def print_closing_notes(
    options: Options, totals: Totals, xml: XmlFolder, corrections: CorrectionSet | None
) -> None:
    """Prints differences of corrections and, without `--quiet`, renamed files and hints.

    Args:
        options: The options of the command.
        totals: Counts the outcomes of the run.
        xml: The XML folder of the run.
        corrections: The corrections of the run; None without `--corrections`.
    """
    if corrections is not None:
        whole = options.shard is None and options.picture_list is None
        for message in corrections.describe_differences(whole):
            print_message(message)
    if options.quiet:
        return
    _print_renamed(xml.renamed)
    replaced = xml.replaced_reviews
    if corrections is not None:  # `describe_differences` has reported those with a row
        replaced = [file for file in replaced if not corrections.has_row(file)]
    _print_replaced_reviews(replaced, options)
    classified = totals.counts.total() + totals.failed > totals.kept
    if classified and (hint := input_pictures.suggest_corrections(options)):
        print_message(hint)
    if hint := suggest_recursive(options.input, options):
        print_message(hint)


def _print_renamed(renamed: Mapping[str, str]) -> None:
    """Prints how many XML files do not have their usual names, with an example.

    Args:
        renamed: See `XmlFolder.renamed`; nothing is printed if it is empty.
    """
    if not renamed:
        return
    example = input_pictures.format_renamed(*next(iter(renamed.items())))
    count = len(renamed)
    names = "name of 1 XML file" if count == 1 else f"names of {count:,} XML files; for example"
    print_message(f"the output folder rejects the usual {names}: {example}")


def _print_replaced_reviews(files: Sequence[str], options: Options) -> None:
    """Prints how many reviewed predictions were replaced; nothing if none was.

    Args:
        files: See `XmlFolder.replaced_reviews`.
        options: The options of the command.
    """
    if not files:
        return
    verb = "s were" if len(files) > 1 else " was"
    replaced = f"{len(files):,} reviewed prediction{verb} replaced"
    example = f"such as that of {escape_text(files[0])!r}"
    if options.resume:
        changed = "the pictures have" if len(files) > 1 else "the picture has"
        print_message(f"{replaced}, because {changed} changed, {example}; review them again")
    else:
        print_message(
            f"{replaced}, {example}; to restore what a person said, run the command again with "
            "--resume --corrections FILE (corrections.csv of the review)"
        )

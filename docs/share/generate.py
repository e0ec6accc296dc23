"""Generates the manual pages and shell completions in this folder from the parsers.

The wheel installs them below `share` of its environment. Run `make share` after a change of an
option or of the version; `tests/packaging/test_share.py` compares them with the parsers.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

from image_gender_classifier.cli import parser as classifier
from image_gender_classifier.cluster import parser as cluster
from image_gender_classifier.review import parser as review
from image_gender_classifier.version import __version__

PLACES = {
    "bash": "bash-completion/completions/{}",
    "zsh": "zsh/site-functions/_{}",
    "fish": "fish/vendor_completions.d/{}.fish",
}
_COMPLETED = {"DIR": shtab.DIRECTORY, "FILE": shtab.FILE, "PATH": shtab.FILE}  # by metavar
_COUNTED = re.compile(r"[;,] here %\(default\)s")  # the cores of this machine


def generate(folder: Path) -> None:
    """Writes all files, with the paths that they have below `share`."""
    for build_parser in (classifier.build_parser, review.build_parser, cluster.build_parser):
        parser = build_parser()
        files = {"man/man1/{}.1": format_page(parser)}
        parser = build_parser()  # without the changes for the page
        _mark_paths(parser)
        files |= {place: shtab.complete(parser, shell) for shell, place in PLACES.items()}
        for place, text in files.items():
            path = folder / place.format(parser.prog)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text.rstrip()}\n", "utf-8")


def format_page(parser: argparse.ArgumentParser) -> str:
    """Formats the manual page of a command."""
    _remove_counts(parser)
    examples, codes = (part.partition(":\n")[2] for part in str(parser.epilog).split("\n\n"))
    parser.epilog = None
    page = Manpage(parser)
    page.date, page.manual = "", "User Commands"
    page.source = f"image-gender-classifier {__version__}"
    description = re.split("[.;,]", str(parser.description))[0]
    page.description = description[0].lower() + description[1:]
    usage = re.sub("\n +", "\n", parser.format_usage().partition(": ")[2])
    sections = {"synopsis": usage, "examples": examples, "exit status": codes}
    for heading, text in sections.items():
        shown = page.format_text(re.sub("^  ", "", text, flags=re.MULTILINE))
        page.add_section(heading, "=", f".nf\n{shown}\n.fi")
    return str(page)


def _mark_paths(parser: argparse.ArgumentParser) -> None:
    """Makes the arguments that are paths be completed as paths."""
    _remove_counts(parser)
    for action in parser._actions:
        if action.metavar in _COMPLETED:
            action.complete = _COMPLETED[action.metavar]  # type: ignore[attr-defined]


def _remove_counts(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        action.help = _COUNTED.sub("", action.help or "")


if __name__ == "__main__":
    generate(Path(sys.argv[1]))

"""Describes the settings of a run in words, for the report."""

from __future__ import annotations

from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.terminal import PROGRAM
from image_gender_classifier.outputs.settings import Facts
from image_gender_classifier.version import __version__
from image_gender_classifier.workers.supervisor import Supervisor


def describe_run(options: Options, supervisor: Supervisor) -> Facts:
    """Returns the settings on which the predictions of a run depend, and where its files are.

    Args:
        options: The options of the command.
        supervisor: Has loaded the model.
    """
    settings = options.settings
    (xml,) = (target.path for target in options.outputs if target.entry.required)
    given = "--threshold" if settings.threshold is not None else "from the model's manifest"
    facts = [
        ("Program", f"{PROGRAM} {__version__}"),
        ("Pictures", f"{options.input}{', with subfolders' if options.recursive else ''}"),
        ("XML files", str(xml)),
        ("Model", supervisor.model),
        ("Threshold", f"{supervisor.threshold:g} ({given})"),
        ("Face detector", settings.detector),
        ("Classified faces", "all" if settings.all_faces else "the main face of each picture"),
    ]
    if settings.min_face is not None:
        facts.append(("Smallest face", f"{settings.min_face:g} of the shorter side"))
    if options.corrections is not None:
        facts.append(("Corrections", str(options.corrections)))
    return tuple(facts)
